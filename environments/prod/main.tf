# The stack in production: protected, encrypted with its own key, and with long memories.

locals {
  account_id = "333333333333" # yours; also in backend.tf, where no expression may stand
  region     = "eu-central-1"
}

module "millrace" {
  source = "../.."

  environment = "prod"
  account     = { id = local.account_id, region = local.region }

  artifacts = {
    directory = "${path.root}/../../build/prod"
    bucket    = { name = "millrace-prod-artifacts-${local.account_id}" } # made by environments/bootstrap
  }
  runtime = jsondecode(file("${path.root}/target.json")) # what `millrace build` builds the zips for
  logs    = { retention_days = 365 }
  alarms  = { emails = { on-call = "millrace-prod@example.com" } }
  shop = {
    gateway = {
      url        = "https://payments.example.com" # yours, and the secret with its API key: the whole ARN, whose end Secrets Manager chose
      secret_arn = "arn:aws:secretsmanager:${local.region}:${local.account_id}:secret:millrace-prod-gateway-AbCdEf"
    }
    sender = { address = "shop-prod@example.com", register = "address" }
  }
  telemetry = {
    stream = { retention_hours = 168 } # a week to mend what reads it
    raw    = { infrequent_after_days = 30, expire_after_days = 730 }
    iot    = {}
  }
  data = {
    customer_managed_key = true
    archive_days         = 365
    noncurrent_days      = 90
  }
}
