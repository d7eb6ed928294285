# What the code itself counts: orders that no sweep can end.

resource "aws_cloudwatch_metric_alarm" "broken" {
  alarm_name = "${var.platform.prefix}-orders-broken"
  alarm_description = join(" ", [
    "An order waits too long and cannot be cancelled: its events have a gap, or one of them is of a kind that this code does not know. Its customer waits, and so may stock and money.",
    "Runbook: ${var.platform.alarms.runbook_url}#orders-broken",
    "Start with `aws logs tail ${module.sweep_orders.log_group_name} --since 1h --filter-pattern '\"order broken\"'`.",
  ])

  namespace   = var.platform.project
  metric_name = "OrdersBroken"
  dimensions  = { function = module.sweep_orders.name }
  statistic   = "Sum"
  period      = 60 * max(15, 3 * var.time_out.sweep_minutes) # every sweep meets it again, until it is mended

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}
