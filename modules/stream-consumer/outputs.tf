output "stream" {
  description = "What is read and by whom, in the shape of a service module's `streams`: kind, name and ARN of the stream, full name of the function, names of the alarms (`stalled` is null on a local AWS)."
  value = {
    kind     = var.stream.kind
    name     = var.stream.name
    arn      = aws_lambda_event_source_mapping.this.event_source_arn
    function = aws_lambda_event_source_mapping.this.function_name
    alarms = {
      lags        = aws_cloudwatch_metric_alarm.lags.alarm_name
      stalled     = one(aws_cloudwatch_metric_alarm.stalled[*].alarm_name)
      quarantined = aws_cloudwatch_metric_alarm.quarantined.alarm_name
    }
  }
}
