# The whole stack on a local AWS: small, unprotected, and with short memories.

module "millrace" {
  source = "../.."

  environment = "local"
  account     = { id = "000000000000", region = "us-east-1" }

  artifacts = {
    directory = var.artifacts_directory
    # Made by `millrace up`, as environments/bootstrap does on AWS. Functions made from files would be made one
    # after the other: the provider holds a lock until each is active.
    bucket = "millrace-local-artifacts-000000000000"
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
  }

  shop = {
    sandbox = {}
    sender  = { address = "shop@example.com" }
    users   = { operator_tokens = true }
    # The host names that the local AWS gives its APIs are not in DNS.
    api_address = var.endpoint == null ? null : "${var.endpoint}/_aws/execute-api/%s/$default"
  }

  aws_only_features = false
}
