# Messages that the clock sends, in the shape of an event of the bus; what cannot be delivered ends in the dead-letter queue.

locals {
  schedule_role_name = "${var.platform.prefix}-${var.name}-schedule"

  due = {
    for name, schedule in var.schedules : name => jsonencode({
      id          = "<aws.scheduler.execution-id>"
      source      = "millrace.scheduler"
      detail-type = schedule.event
      time        = "<aws.scheduler.scheduled-time>"
      detail      = {}
    })
  }
}

resource "aws_scheduler_schedule" "this" {
  for_each = var.schedules

  name        = "${var.platform.prefix}-${each.key}"
  description = each.value.description

  schedule_expression = "rate(${each.value.minutes} ${each.value.minutes == 1 ? "minute" : "minutes"})"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sqs_queue.this.arn
    role_arn = one(aws_iam_role.schedule[*].arn)
    # Terraform's JSON hides < and >, and the scheduler would not know its keywords again.
    input = replace(replace(local.due[each.key], "\\u003c", "<"), "\\u003e", ">")

    retry_policy {
      # The next run does what this one missed.
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letter.arn
    }
  }
}

resource "aws_iam_role" "schedule" {
  count = length(var.schedules) > 0 ? 1 : 0

  name               = local.schedule_role_name
  description        = "What the schedules of the inbox ${var.platform.prefix}-${var.name} may do."
  assume_role_policy = data.aws_iam_policy_document.assume_by_schedule.json
}

resource "aws_iam_role_policy" "send_when_due" {
  count = length(var.schedules) > 0 ? 1 : 0

  name   = "send-when-due"
  role   = aws_iam_role.schedule[0].name
  policy = data.aws_iam_policy_document.send_when_due.json
}

data "aws_iam_policy_document" "assume_by_schedule" {
  statement {
    sid     = "AssumeBySchedule"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # The service acts for anybody who names the role: only schedules of this account may.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.platform.account_id]
    }
  }
}

data "aws_iam_policy_document" "send_when_due" {
  statement {
    sid       = "SendWhenDue"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn, local.dead_letter_arn]
  }

  dynamic "statement" {
    for_each = var.platform.kms == null ? [] : [var.platform.kms.key_arn]

    content {
      sid       = "EncryptMessages"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = [statement.value]
    }
  }
}
