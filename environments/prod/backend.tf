# The state, in the bucket that environments/bootstrap makes; S3 itself locks it.

terraform {
  backend "s3" {
    bucket       = "millrace-prod-terraform-state-333333333333"
    key          = "millrace/prod.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}
