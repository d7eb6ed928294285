# An inbox cannot exist without the alarm on its dead letters.

resource "aws_cloudwatch_metric_alarm" "dead_letter" {
  alarm_name = "${local.dead_letter_name}-not-empty"
  alarm_description = join(" ", [
    "${var.name}: an event could not be handled after ${local.max_receive_count} deliveries, or could not be delivered for 24 hours. It waits 14 days, then it is lost.",
    "Runbook: ${var.platform.alarms.runbook_url}#dead-letter-queue",
    "Once the cause is mended: `millrace dlq redrive ${var.name}`.",
  ])

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = aws_sqs_queue.dead_letter.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # an idle queue reports nothing

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}
