# The log group exists before the function, or Lambda would make one that keeps its lines for ever.

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.full_name}"
  retention_in_days = var.platform.logs.retention_days
  kms_key_id        = try(var.platform.kms.key_arn, null)
}
