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
    bucket    = { name = "millrace-dev-artifacts-${local.account_id}" } # made by environments/bootstrap
  }
  runtime = jsondecode(file("${path.root}/target.json")) # what `millrace build` builds the zips for
  logs    = { level = "DEBUG", retention_days = 14 }
  alarms  = { emails = { on-call = "millrace-dev@example.com" } }
  shop = {
    sandbox = {}
    sender  = { address = "shop-dev@example.com", register = "address" }
  }
  api = { users = { operator_tokens = true } }
  telemetry = {
    stream = { shards = 1 } # a third of what on-demand costs while nobody sends
    raw    = { expire_after_days = 30 }
    # What `millrace telemetry simulate` sends.
    device_types = {
      default = {}
      pump = {
        metrics = {
          temperature = { low = -20, high = 110, stuck_after_readings = 12 }
          pressure    = { low = 0, high = 10, max_rate_per_second = 1 }
        }
      }
      freezer = {
        metrics = {
          temperature = { low = -40, high = -5, stuck_after_readings = 12 }
          humidity    = { low = 0, high = 100 }
        }
      }
      meter = {
        metrics = {
          voltage = { low = 180, high = 260, stuck_after_readings = 12 }
          power   = { low = 0, high = 25, max_rate_per_second = 3 }
        }
      }
    }
  }
  data = {
    protect                = false
    point_in_time_recovery = false
    archive_days           = 7
    noncurrent_days        = 7
  }
}
