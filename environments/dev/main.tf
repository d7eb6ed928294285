# The stack for development: kept cheap, easy to destroy, and talkative.

locals {
  account_id = "111111111111" # yours; also in backend.tf, where no expression may stand
  region     = "eu-central-1"
}

module "millrace" {
  source = "../.."

  environment = "dev"
  account     = { id = local.account_id, region = local.region }

  artifacts = {
    directory = "${path.root}/../../build/dev"
    bucket    = "millrace-dev-artifacts-${local.account_id}" # made by environments/bootstrap
  }
  logs   = { level = "DEBUG", retention_days = 14 }
  alarms = { email = "millrace-dev@example.com" }
  shop = {
    sandbox = {}
    sender  = { address = "shop-dev@example.com" }
    users   = { operator_tokens = true }
  }
  data = {
    protect                = false
    point_in_time_recovery = false
    archive_days           = 7
    noncurrent_days        = 7
  }
}
