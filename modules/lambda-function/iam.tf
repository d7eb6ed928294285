# One role per function: it may log, trace, use the environment's key, and do what `policies` says; nothing else.

locals {
  log_group_arn = "arn:${var.platform.partition}:logs:${var.platform.region}:${var.platform.account_id}:log-group:${aws_cloudwatch_log_group.this.name}"

  policies = merge(
    { write-logs = data.aws_iam_policy_document.write_logs.json },
    var.platform.runtime.tracing ? { send-traces = data.aws_iam_policy_document.send_traces.json } : {},
    var.platform.kms == null ? {} : { use-encryption-key = data.aws_iam_policy_document.use_encryption_key.json },
    var.policies,
  )
}

data "aws_iam_policy_document" "assume_by_lambda" {
  statement {
    sid     = "AssumeByLambda"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "write_logs" {
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"]
  }
}

data "aws_iam_policy_document" "send_traces" {
  statement {
    sid     = "SendTraces"
    actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
    # X-Ray has no resource-level permissions for these actions.
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "use_encryption_key" {
  statement {
    sid       = "UseEncryptionKey"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    resources = [try(var.platform.kms.key_arn, local.log_group_arn)] # unused (and harmless) without a key
  }
}

resource "aws_iam_role" "this" {
  name               = local.full_name
  description        = "What the function ${local.full_name} may do."
  assume_role_policy = data.aws_iam_policy_document.assume_by_lambda.json
}

resource "aws_iam_role_policy" "this" {
  for_each = local.policies

  name   = each.key
  role   = aws_iam_role.this.name
  policy = each.value
}
