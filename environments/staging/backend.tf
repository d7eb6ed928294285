# The state, in the bucket that environments/bootstrap makes; S3 itself locks it.

terraform {
  backend "s3" {
    bucket       = "millrace-staging-terraform-state-222222222222"
    key          = "millrace/staging.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}
