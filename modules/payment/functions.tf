# The one function: it takes the money of approved orders and gives back that of cancelled ones.

locals {
  timeout_seconds = 90
}

module "take_payment" {
  source = "../lambda-function"

  name        = "take-payment"
  description = "Captures the money of approved orders and refunds that of cancelled ones."
  platform    = var.platform
  code        = { service = "payment", module = "take_payment" }

  environment = {
    PAYMENTS_TABLE     = module.payments.name
    GATEWAY_URL        = var.gateway.url
    GATEWAY_SECRET_ARN = var.gateway.secret_arn
    GATEWAY_TIMING     = jsonencode(var.gateway.timing)
  }
  resources = {
    memory_mb       = var.function.memory_mb
    timeout_seconds = local.timeout_seconds
  }
  policies = {
    use-payments     = module.payments.policies.take-payment
    read-gateway-key = data.aws_iam_policy_document.read_gateway_key.json
  }
}
