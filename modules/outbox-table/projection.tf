# A read side of the table's own events: fed by the stream, which keeps the order of events; the bus does not.

locals {
  has_projection  = var.projection != null
  projection_name = try(var.projection.function.name, "")
}

resource "aws_iam_role_policy" "read_stream" {
  count = local.has_projection ? 1 : 0

  name   = "read-stream-${var.name}"
  role   = var.projection.function.role_name
  policy = data.aws_iam_policy_document.read_stream[0].json
}

resource "aws_iam_role_policy" "keep_quarantine" {
  count = local.has_projection ? 1 : 0

  name   = "keep-quarantine-${var.name}"
  role   = var.projection.function.role_name
  policy = data.aws_iam_policy_document.keep_quarantine[0].json
}

resource "aws_lambda_event_source_mapping" "projection" {
  count = local.has_projection ? 1 : 0

  event_source_arn  = aws_dynamodb_table.this.stream_arn
  function_name     = local.projection_name
  starting_position = "TRIM_HORIZON" # LATEST would miss what is written while the mapping starts

  batch_size                         = var.projection.batch_size
  parallelization_factor             = var.projection.parallelization
  maximum_batching_window_in_seconds = 0
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = 100
  maximum_record_age_in_seconds      = 6 * 3600

  filter_criteria {
    filter {
      pattern = local.new_events
    }
  }

  destination_config {
    on_failure {
      destination_arn = local.quarantine_arn
    }
  }

  dynamic "metrics_config" {
    for_each = var.platform.aws_only_features ? ["EventCount"] : []

    content {
      metrics = [metrics_config.value]
    }
  }

  # Lambda checks the role's permission to read when the mapping is made.
  depends_on = [aws_iam_role_policy.read_stream, aws_iam_role_policy.keep_quarantine]
}

resource "aws_cloudwatch_metric_alarm" "projection_lags" {
  count = local.has_projection ? 1 : 0

  alarm_name = "${local.projection_name}-lags"
  alarm_description = join(" ", [
    "${var.name}: the read side is more than 5 minutes late. The stream forgets after 24 hours, the table does not.",
    "Runbook: ${var.platform.alarms.runbook_url}#projection-lags",
    "If the stream forgot: `millrace replay projection ${var.name}`.",
  ])

  namespace   = "AWS/Lambda"
  metric_name = "IteratorAge"
  dimensions  = { FunctionName = local.projection_name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 5 * 60 * 1000
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching" # no writes, no age

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "projection_quarantined" {
  count = local.has_projection ? 1 : 0

  alarm_name = "${local.projection_name}-quarantined"
  alarm_description = join(" ", [
    "${var.name}: events could not be shown in the read side and lie in the bucket ${var.bus.quarantine_name}.",
    "Runbook: ${var.platform.alarms.runbook_url}#quarantine",
    "Once the cause is mended: `millrace replay projection ${var.name}`.",
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
      dimensions  = { EventSourceMappingUUID = aws_lambda_event_source_mapping.projection[0].uuid }
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "by_function" # records that are no events, subjects whose history is broken

    metric {
      namespace   = var.platform.project
      metric_name = "RecordsQuarantined"
      dimensions  = { service = var.projection.service }
      stat        = "Sum"
      period      = 60
    }
  }
}
