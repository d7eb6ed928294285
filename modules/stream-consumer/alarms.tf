# A stream forgets: one alarm tells in time that its reader lags, one that the reader gave something up.

resource "aws_cloudwatch_metric_alarm" "lags" {
  alarm_name        = "${var.function.name}-lags"
  alarm_description = "${var.words.lags.meaning} Runbook: ${var.words.lags.runbook} ${var.words.lags.remedy}"

  namespace   = "AWS/Lambda"
  metric_name = "IteratorAge"
  dimensions  = { FunctionName = var.function.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.lag_minutes * 60 * 1000
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching" # no records, no age

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "quarantined" {
  alarm_name        = "${var.function.name}-quarantined"
  alarm_description = "${var.words.quarantined.meaning} Runbook: ${var.words.quarantined.runbook} ${var.words.quarantined.remedy}"

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 60 # an hour, so that a page which a failing service holds back still comes
  datapoints_to_alarm = 1
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
      dimensions  = { EventSourceMappingUUID = aws_lambda_event_source_mapping.this.uuid }
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "by_function" # records that the code itself put there

    metric {
      namespace   = var.platform.project
      metric_name = "RecordsQuarantined"
      dimensions  = { service = var.signs_as }
      stat        = "Sum"
      period      = 60
    }
  }
}
