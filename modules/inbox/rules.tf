# The rules that fill the queue. A delivery that fails for 24 hours ends in the same dead-letter queue as a message that fails.

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.subscriptions

  name           = "${local.full_name}-${each.key}"
  description    = "Puts events into the inbox ${local.full_name}."
  event_bus_name = each.value.bus_name
  event_pattern  = each.value.pattern
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = var.subscriptions

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = each.value.bus_name
  target_id      = "inbox"
  arn            = "${local.arn_prefix}:${aws_sqs_queue.this.name}"

  retry_policy {
    maximum_event_age_in_seconds = 24 * 3600
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = "${local.arn_prefix}:${aws_sqs_queue.dead_letter.name}"
  }
}
