# The state, in the bucket that environments/bootstrap makes; S3 itself locks it.

terraform {
  backend "s3" {
    bucket       = "millrace-dev-terraform-state-111111111111"
    key          = "millrace/dev.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}
