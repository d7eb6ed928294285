# The whole stack on a local AWS: small, unprotected, and with short memories.

module "millrace" {
  source = "../.."

  environment = "local"
  account     = { id = "000000000000", region = "us-east-1" }

  artifacts = { directory = var.artifacts_directory }
  runtime = {
    architecture = "x86_64" # the local AWS runs the zips on this machine whatever is said here
    environment  = var.xray_daemon_address == null ? {} : { AWS_XRAY_DAEMON_ADDRESS = var.xray_daemon_address }
  }
  logs = { retention_days = 1 }

  data = {
    protect                = false
    point_in_time_recovery = false
    archive_days           = 1
    noncurrent_days        = 1
  }

  # Every invocation at once is a process of this machine.
  images = { function = { max_concurrency = 2 } }

  aws_only_features = false
}
