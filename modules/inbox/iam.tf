# Rules, the schedule and operators may put messages in, the function may take them out, nobody may use plain HTTP.

locals {
  rule_arns = [
    for rule in values(aws_cloudwatch_event_rule.this) :
    "arn:${var.platform.partition}:events:${var.platform.region}:${var.platform.account_id}:rule/${rule.event_bus_name == "default" ? "" : "${rule.event_bus_name}/"}${rule.name}"
  ]
  # By its name: the role's own policy names the queue.
  schedule_role_arns = length(var.schedules) == 0 ? [] : [
    "arn:${var.platform.partition}:iam::${var.platform.account_id}:role/${local.schedule_role_name}"
  ]
}

data "aws_iam_policy_document" "deliver" {
  for_each = { queue = local.queue_arn, dead-letter = local.dead_letter_arn }

  dynamic "statement" {
    for_each = var.platform.data.plain_http ? [] : [each.value]

    content {
      sid       = "RefusePlainHttp"
      effect    = "Deny"
      actions   = ["sqs:*"] # a refusal may be wide
      resources = [statement.value]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Bool"
        variable = "aws:SecureTransport"
        values   = ["false"]
      }
    }
  }

  # Rules and the queue's own redrive have no principal; a schedule's role and people do.
  statement {
    sid       = "RefuseOtherSenders"
    effect    = "Deny"
    actions   = ["sqs:SendMessage"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values   = concat(local.schedule_role_arns, var.platform.operators)
    }
    condition {
      test     = "Null"
      variable = "aws:PrincipalArn"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = length(local.rule_arns) == 0 ? [] : [local.rule_arns]

    content {
      sid       = "DeliverFromRules"
      actions   = ["sqs:SendMessage"]
      resources = [each.value]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = statement.value
      }
    }
  }
}

data "aws_iam_policy_document" "read_inbox" {
  statement {
    sid       = "ReadInbox"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
    resources = [local.queue_arn]
  }
}

resource "aws_iam_role_policy" "read_inbox" {
  name   = "read-inbox-${var.name}"
  role   = var.function.role_name
  policy = data.aws_iam_policy_document.read_inbox.json
}
