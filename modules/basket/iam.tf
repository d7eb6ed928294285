# What the schedule may do; the functions' policies come with their tables and queues.

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

data "aws_iam_policy_document" "ask_for_sweep" {
  statement {
    sid       = "AskForSweep"
    actions   = ["sqs:SendMessage"]
    resources = [module.sweep_baskets_inbox.arn, module.sweep_baskets_inbox.dead_letter_queue.arn]
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
