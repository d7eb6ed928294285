# The gateway itself, an HTTP function.

module "sandbox_gateway" {
  source = "../lambda-function"

  name        = "sandbox-gateway"
  description = "Plays a payment gateway for tests: moves no money, and fails on order."
  platform    = var.platform
  code        = { service = "sandbox_gateway", module = "api" }

  environment = {
    LEDGER_TABLE       = module.ledger.name
    GATEWAY_SECRET_ARN = aws_secretsmanager_secret_version.api_key.arn
    FAILURE_RATE       = tostring(var.faults.failure_rate)
    STALL_SECONDS      = tostring(var.faults.stall_seconds)
  }
  policies = {
    use-ledger   = module.ledger.policies.sandbox-gateway
    read-api-key = data.aws_iam_policy_document.read_api_key.json
  }
}
