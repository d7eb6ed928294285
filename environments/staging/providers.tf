# Credentials come from the shell; those of another account are refused.

provider "aws" {
  region              = local.region
  allowed_account_ids = [local.account_id]

  default_tags {
    tags = {
      project     = "millrace"
      environment = "staging"
      managed-by  = "terraform"
    }
  }
}
