# The whole stack on a local AWS: small, unprotected, and with short memories.

module "millrace" {
  source = "../.."

  environment = "local"
  account     = { id = "000000000000", region = "us-east-1" }

  artifacts = {
    directory = var.artifacts_directory
    # Made by `millrace up`, as environments/bootstrap does on AWS. Functions made from files would be made one
    # after the other: the provider holds a lock until each is active.
    bucket = { name = "millrace-local-artifacts-000000000000" }
  }
  runtime = {
    inbox_concurrency = 2        # every invocation at once is a process of this machine
    architecture      = "x86_64" # the local AWS runs the zips on this machine whatever is said here
    environment       = var.xray_daemon_address == null ? {} : { AWS_XRAY_DAEMON_ADDRESS = var.xray_daemon_address }
  }
  logs = { retention_days = 1 }

  data = {
    protect                = false
    point_in_time_recovery = false
    archive_days           = 1
    noncurrent_days        = 1
    plain_http             = true
  }

  shop = {
    sandbox = {}
    sender  = { address = "shop@example.com", register = "address" }
  }
  api = {
    users = { operator_tokens = true }
    cors  = { origins = var.allowed_origins }
    # The host names that the local AWS gives its APIs are not in DNS.
    address = var.endpoint == null ? null : "${var.endpoint}/_aws/execute-api/%s/$default"
  }

  telemetry = {
    stream = { shards = 1 } # an on-demand stream of the local AWS has one, too
    # Its writes take longest: of a big batch, more records go into one write. Its batches have no limit of 6 MB.
    ingest = { batch_size = 10000 }
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

  aws_only_features = false
}
