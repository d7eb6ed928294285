# A stream forgets: alarms tell in time that its reader lags or is dead, and that it gave something up.

locals {
  # A table counts no records of its stream. A write that changes nothing consumes capacity too: only an idle table with such writes
  # alone, in each of three periods, would look as if nobody read it.
  writes = {
    dynamodb = { namespace = "AWS/DynamoDB", metric = "ConsumedWriteCapacityUnits", dimensions = { TableName = var.stream.name } }
    kinesis  = { namespace = "AWS/Kinesis", metric = "IncomingRecords", dimensions = { StreamName = var.stream.name } }
  }[var.stream.kind]
}

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
  treat_missing_data  = "notBreaching" # no records, no age: that none are read at all is the next alarm's

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}

# A dead reader has no errors, no throttles and no age: only what does not happen tells of it.
resource "aws_cloudwatch_metric_alarm" "stalled" {
  count = var.platform.aws_only_features ? 1 : 0 # without the mapping's own metrics it would go off at the first write

  alarm_name = "${var.function.name}-stalled"
  alarm_description = join(" ", [
    "${var.stream.name} is written to, and for 15 minutes ${var.function.name} read not one record of it: its mapping is off, it may not read the stream, or it fails at everything. The stream forgets after ${var.stream.retention_hours} hours. This goes off without any error of the function.",
    "Runbook: ${var.platform.alarms.runbook_url}#stream-stalled",
    "Start with `aws lambda list-event-source-mappings --function-name ${var.function.name} --query 'EventSourceMappings[].[UUID,State,StateTransitionReason,LastProcessingResult]'`.",
  ])

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 3 # a write just before a period's end is read in the next one
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]

  metric_query {
    id          = "stalled"
    label       = "Writes, and nothing read"
    expression  = "IF(FILL(writes, 0) > 0 AND FILL(polled, 0) == 0, 1, 0)"
    return_data = true
  }

  metric_query {
    id = "writes"

    metric {
      namespace   = local.writes.namespace
      metric_name = local.writes.metric
      dimensions  = local.writes.dimensions
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "polled" # before the filter: what the filter leaves out is read too

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "PolledEventCount"
      dimensions  = { EventSourceMappingUUID = aws_lambda_event_source_mapping.this.uuid }
      stat        = "Sum"
      period      = 300
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "quarantined" {
  alarm_name        = "${var.function.name}-quarantined"
  alarm_description = "${var.words.quarantined.meaning} Runbook: ${var.words.quarantined.runbook} ${var.words.quarantined.remedy}"

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 288 # a day, the longest there is: a page which a failing service holds back for hours still comes
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
      period      = 300
    }
  }

  metric_query {
    id = "by_function" # records that the code itself put there

    metric {
      namespace   = var.platform.project
      metric_name = "RecordsQuarantined"
      dimensions  = { function = var.function.name }
      stat        = "Sum"
      period      = 300
    }
  }
}
