# The durable queue and its dead-letter queue. Policies are inline: as separate resources each costs 25 s of the provider's waiting.

locals {
  full_name        = "${var.platform.prefix}-${var.name}"
  dead_letter_name = "${local.full_name}-dead-letter"
  arn_prefix       = "arn:${var.platform.partition}:sqs:${var.platform.region}:${var.platform.account_id}"
  # Queues name each other in their policies: built from the names there is no cycle, and the plan shows the whole policy.
  queue_arn       = "${local.arn_prefix}:${local.full_name}"
  dead_letter_arn = "${local.arn_prefix}:${local.dead_letter_name}"

  max_receive_count = 5 # fewer would turn mere throttling into dead letters
}

resource "aws_sqs_queue" "dead_letter" {
  name                      = local.dead_letter_name
  message_retention_seconds = 14 * 24 * 3600 # the maximum: time to notice, mend and redrive
  policy                    = data.aws_iam_policy_document.deliver["dead-letter"].json

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })

  sqs_managed_sse_enabled           = var.platform.kms == null ? true : null
  kms_master_key_id                 = try(var.platform.kms.key_arn, null)
  kms_data_key_reuse_period_seconds = 300
}

resource "aws_sqs_queue" "this" {
  name                       = local.full_name
  visibility_timeout_seconds = coalesce(var.queue.visibility_timeout_seconds, 6 * var.function.timeout_seconds)
  message_retention_seconds  = var.queue.retention_days * 24 * 3600
  policy                     = data.aws_iam_policy_document.deliver["queue"].json

  redrive_policy = jsonencode({
    # From the resource's name, so that the dead-letter queue exists first.
    deadLetterTargetArn = "${local.arn_prefix}:${aws_sqs_queue.dead_letter.name}"
    maxReceiveCount     = local.max_receive_count
  })

  sqs_managed_sse_enabled           = var.platform.kms == null ? true : null
  kms_master_key_id                 = try(var.platform.kms.key_arn, null)
  kms_data_key_reuse_period_seconds = 300
}
