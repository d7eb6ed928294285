# An API cannot exist without an alarm on its failures and one on its latency.

resource "aws_cloudwatch_metric_alarm" "server_errors" {
  alarm_name = "${local.full_name}-server-errors"
  alarm_description = join(" ", [
    "More than ${format("%.3g", var.alarms.error_rate * 100)} % of the API's requests were answered 5xx for 5 minutes: callers see failures that are ours.",
    "Runbook: ${var.platform.alarms.runbook_url}#api-server-errors",
    "Start with `millrace status --environment ${var.platform.environment}`, then the saved query ${var.platform.prefix}/api-failures on the access log ${aws_cloudwatch_log_group.access.name} for the routes that fail.",
  ])

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.error_rate
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  treat_missing_data  = "notBreaching" # no requests, no errors

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]

  metric_query {
    id          = "rate"
    label       = "Share of requests answered 5xx"
    expression  = "IF(FILL(requests, 0) > 0, FILL(errors, 0) / FILL(requests, 0), 0)"
    return_data = true
  }

  metric_query {
    id = "errors"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "5xx"
      dimensions  = { ApiId = aws_apigatewayv2_api.this.id }
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "Count"
      dimensions  = { ApiId = aws_apigatewayv2_api.this.id }
      stat        = "Sum"
      period      = 60
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name = "${local.full_name}-latency"
  alarm_description = join(" ", [
    "One request in a hundred took longer than ${var.alarms.p99_latency_ms} ms for 5 minutes.",
    "Runbook: ${var.platform.alarms.runbook_url}#api-latency",
    "Start with `millrace map --environment ${var.platform.environment}`; in the access log ${aws_cloudwatch_log_group.access.name}, function_ms tells a slow function from a slow gateway.",
  ])

  namespace          = "AWS/ApiGateway"
  metric_name        = "Latency"
  dimensions         = { ApiId = aws_apigatewayv2_api.this.id }
  extended_statistic = "p99"
  period             = 60

  comparison_operator                   = "GreaterThanThreshold"
  threshold                             = var.alarms.p99_latency_ms
  evaluation_periods                    = 5
  datapoints_to_alarm                   = 5
  treat_missing_data                    = "notBreaching"
  evaluate_low_sample_count_percentiles = "ignore" # a single slow request at night is no trend

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}
