# The stream forgets after 24 hours: two alarms tell in time, one that the publisher lags, one that it gave up on an event.

resource "aws_cloudwatch_metric_alarm" "publisher_lags" {
  count = local.holds_events ? 1 : 0

  alarm_name = "${local.full_name}-publisher-lags"
  alarm_description = join(" ", [
    "${var.name}: events written more than 5 minutes ago are not on the bus yet. The stream forgets them after 24 hours, the table does not.",
    "Runbook: ${var.platform.alarms.runbook_url}#publisher-lags",
    "If the stream forgot: `millrace replay outbox ${var.name}`.",
  ])

  namespace   = "AWS/Lambda"
  metric_name = "IteratorAge"
  dimensions  = { FunctionName = module.publisher[0].name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 5 * 60 * 1000
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching" # no writes, no age

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "publisher_quarantined" {
  count = local.holds_events ? 1 : 0

  alarm_name = "${local.full_name}-publisher-quarantined"
  alarm_description = join(" ", [
    "${var.name}: events could not be published and lie in the bucket ${var.bus.quarantine_name}.",
    "Runbook: ${var.platform.alarms.runbook_url}#quarantine",
    "Once the cause is mended: `millrace replay outbox ${var.name}`.",
  ])

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]

  metric_query {
    id          = "quarantined"
    label       = "Records in quarantine"
    expression  = "FILL(by_mapping, 0) + FILL(by_function, 0)"
    return_data = true
  }

  metric_query {
    id = "by_mapping" # batches that failed again and again

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "OnFailureDestinationDeliveredEventCount"
      dimensions  = { EventSourceMappingUUID = aws_lambda_event_source_mapping.publisher[0].uuid }
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "by_function" # records that are no events at all

    metric {
      namespace   = var.platform.project
      metric_name = "RecordsQuarantined"
      dimensions  = { service = local.publisher_name }
      stat        = "Sum"
      period      = 60
    }
  }
}
