# The API key that the payment service shows to the sandbox. It opens nothing but the sandbox.

resource "aws_secretsmanager_secret" "api_key" {
  name                    = "${var.platform.prefix}-sandbox-gateway-key"
  description             = "API key of the sandbox payment gateway."
  kms_key_id              = try(var.platform.kms.key_arn, null)
  recovery_window_in_days = 0 # nothing is lost with it, and its name is free again at once

  lifecycle {
    precondition {
      condition     = contains(["local", "dev"], var.platform.environment)
      error_message = "The sandbox gateway approves payments without moving money: it wants the environment local or dev; got \"${var.platform.environment}\"."
    }
  }
}

resource "aws_secretsmanager_secret_version" "api_key" {
  secret_id     = aws_secretsmanager_secret.api_key.id
  secret_string = "sk_sandbox_${uuid()}"

  lifecycle {
    ignore_changes = [secret_string] # made once; uuid() would be another at every plan
  }
}
