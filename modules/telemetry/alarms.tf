# What the stream itself tells: that it refuses records, that none come at all, that MQTT messages do not get there. Its reader's lag and quarantine are watched by the consumer.

resource "aws_cloudwatch_metric_alarm" "refuses_writes" {
  alarm_name = "${local.full_name}-refuses-writes"
  alarm_description = join(" ", [
    "The stream ${local.full_name} refused records for 3 of 5 minutes: devices send more than its shards take. A producer that does not send them again loses them.",
    "Runbook: ${var.platform.alarms.runbook_url}#telemetry-refused",
    "Start with `aws kinesis describe-stream-summary --stream-name ${local.full_name}`. More shards (`stream.shards`), or on-demand; one device that sends most of it wants a partition key of its own.",
  ])

  namespace   = "AWS/Kinesis"
  metric_name = "WriteProvisionedThroughputExceeded"
  dimensions  = { StreamName = aws_kinesis_stream.this.name }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  count = var.silence == null ? 0 : 1

  alarm_name = "${local.full_name}-silent"
  alarm_description = join(" ", [
    "No device has sent anything for ${var.silence.minutes} minutes: whatever brings records to the stream ${local.full_name} is broken.",
    "Runbook: ${var.platform.alarms.runbook_url}#telemetry-silent",
    "Start with `millrace status --environment ${var.platform.environment}`. Nothing here can mend it: look at the network, the gateway, the devices' certificates.",
  ])

  namespace   = "AWS/Kinesis"
  metric_name = "IncomingRecords"
  dimensions  = { StreamName = aws_kinesis_stream.this.name }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = var.silence.minutes
  treat_missing_data  = "breaching" # a stream that gets nothing reports nothing

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "mqtt_undelivered" {
  count = var.iot == null ? 0 : 1

  alarm_name = "${local.full_name}-mqtt-undelivered"
  alarm_description = join(" ", [
    "What devices published could not be put on the stream ${local.full_name}. It lies, with the error, in the bucket ${var.bus.quarantine_name}.",
    "Runbook: ${var.platform.alarms.runbook_url}#telemetry-undelivered",
    "Start with `aws s3 ls s3://${var.bus.quarantine_name}/${local.iot_folder}/`.",
  ])

  namespace   = "AWS/IoT"
  metric_name = "Failure"
  dimensions  = { RuleName = local.iot_rule, ActionType = "Kinesis" }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}
