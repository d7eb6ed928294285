# The stack before production: guarded and encrypted like it, with shorter memories.

locals {
  account_id = "222222222222" # yours; also in backend.tf, where no expression may stand
  region     = "eu-central-1"
}

module "millrace" {
  source = "../.."

  environment = "staging"
  account     = { id = local.account_id, region = local.region }

  artifacts = {
    directory = "${path.root}/../../build/staging"
    bucket    = { name = "millrace-staging-artifacts-${local.account_id}" } # made by environments/bootstrap
  }
  runtime = jsondecode(file("${path.root}/target.json")) # what `millrace build` builds the zips for
  logs    = { retention_days = 30 }
  alarms  = { emails = { on-call = "millrace-staging@example.com" } }
  shop = {
    gateway = {
      url        = "https://payments.example.com" # yours, and the secret with its API key: the whole ARN, whose end Secrets Manager chose
      secret_arn = "arn:aws:secretsmanager:${local.region}:${local.account_id}:secret:millrace-staging-gateway-AbCdEf"
    }
    sender = { address = "shop-staging@example.com", register = "address" }
  }
  telemetry = {
    raw = { expire_after_days = 90 }
    iot = {}
  }
  data = {
    customer_managed_key = true
    archive_days         = 30
    noncurrent_days      = 30
  }
}
