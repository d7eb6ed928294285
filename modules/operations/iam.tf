# What an operator may do: look, redrive, follow the bus, replay the archive. Attach the policy to people's role.

locals {
  in_account = "${var.stack.region}:${var.stack.account_id}"
  arn        = "arn:${var.stack.partition}"
}

data "aws_iam_policy_document" "operate" {
  statement {
    sid       = "FindWhatIsThere"
    actions   = ["ssm:GetParameter"]
    resources = ["${local.arn}:ssm:${local.in_account}:parameter/${var.stack.prefix}/*"]
  }

  statement {
    sid       = "SeeAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["${local.arn}:cloudwatch:${local.in_account}:alarm:*"] # it lists by prefix, which no ARN can say
  }

  statement {
    sid     = "SeeMetricsAndTraces"
    actions = ["cloudwatch:GetMetricData", "logs:GetQueryResults", "logs:StopQuery", "xray:BatchGetTraces", "xray:GetTraceSummaries"]
    # AWS offers no resource-level permissions for any of these.
    resources = ["*"]
  }

  statement {
    sid       = "ReadLogs"
    actions   = ["logs:FilterLogEvents", "logs:StartQuery"]
    resources = ["${local.arn}:logs:${local.in_account}:log-group:/aws/lambda/${var.stack.prefix}-*"]
  }

  statement {
    sid = "WorkOnQueues"
    actions = [
      "sqs:CancelMessageMoveTask", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
      "sqs:ListMessageMoveTasks", "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:StartMessageMoveTask",
    ]
    resources = ["${local.arn}:sqs:${local.in_account}:${var.stack.prefix}-*"]
  }

  statement {
    sid       = "ReadQuarantine"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [local.quarantine, "${local.quarantine}/*"]
  }

  statement {
    sid       = "KeepWhatIsDropped"
    actions   = ["s3:PutObject"]
    resources = ["${local.quarantine}/dropped/*"]
  }

  statement {
    sid       = "TellWhatWasDone"
    actions   = ["events:PutEvents"]
    resources = [var.bus.arn]

    condition {
      test     = "StringEquals"
      variable = "events:source"
      values   = ["millrace.operations"]
    }
  }

  statement {
    sid       = "ReplayArchive"
    actions   = ["events:CancelReplay", "events:DescribeArchive", "events:DescribeEventBus", "events:DescribeReplay", "events:DescribeRule", "events:ListRules", "events:StartReplay"]
    resources = [var.bus.arn, local.rules, "${local.arn}:events:${local.in_account}:archive/${var.stack.prefix}-*", "${local.arn}:events:${local.in_account}:replay/*"]
  }

  statement {
    sid       = "FollowBus"
    actions   = ["events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"]
    resources = ["${local.arn}:events:${local.in_account}:rule/${var.bus.name}/${var.stack.prefix}-tail-*"]
  }

  statement {
    sid       = "FollowBusInQueue"
    actions   = ["sqs:CreateQueue", "sqs:DeleteQueue"]
    resources = ["${local.arn}:sqs:${local.in_account}:${var.stack.prefix}-tail-*"]
  }

  dynamic "statement" {
    for_each = var.kms == null ? [] : [var.kms.key_arn]

    content {
      sid       = "ReadAndWriteEncrypted"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

locals {
  quarantine = "${local.arn}:s3:::${var.bus.quarantine_name}"
  rules      = "${local.arn}:events:${local.in_account}:rule/${var.bus.name}/*"
}

resource "aws_iam_policy" "operate" {
  name        = "${var.stack.prefix}-operate"
  description = "Look after ${var.stack.prefix}: health, logs, traces, dead letters, the archive. Reads no table and changes no resource."
  policy      = data.aws_iam_policy_document.operate.json
}
