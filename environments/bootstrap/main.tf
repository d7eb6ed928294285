# What must exist before an environment can: a bucket for its state and one for its zips. Once per account, with the state kept beside this file.

locals {
  platform = {
    prefix     = "${var.project}-${var.environment}"
    account_id = var.account_id
    partition  = var.partition

    data = {
      protect         = true # the state outlives everything
      noncurrent_days = 90
    }
  }
}

module "terraform_state" {
  source = "../../modules/bucket"

  name      = "terraform-state"
  platform  = local.platform
  versioned = true # every state that ever was can be had back
}

module "artifacts" {
  source = "../../modules/bucket"

  name      = "artifacts"
  platform  = local.platform
  versioned = true
}
