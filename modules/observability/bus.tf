# What the bus refuses. What a rule cannot deliver is watched by the rule's own inbox.

# The metric knows no bus: it counts what the whole account puts in this region, so it tells and does not page. Our own refused
# events show as a publisher that crashes and lags, which pages.
resource "aws_cloudwatch_metric_alarm" "bus_refuses" {
  count = var.aws_only_features ? 1 : 0

  alarm_name = "${local.prefix}-bus-refuses"
  alarm_description = join(" ", [
    "Entries put on the buses of this account and region were refused in 3 of 5 minutes. Ours wait in their tables and are published later; other programs may lose theirs.",
    "Runbook: ${var.alarms.runbook_url}#bus-refuses",
    "Start with `millrace status ${local.here}`: no publisher with errors or late means that it is not ours. Of one that is, `aws logs tail /aws/lambda/${local.prefix}-<table>-publisher --since 30m --filter-pattern PublishFailed`.",
  ])

  namespace   = "AWS/Events"
  metric_name = "PutEventsFailedEntriesCount"
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}
