# Three alarms for every function: it crashes, it is refused a turn, it comes near its time-out. A fourth where it answers the API.

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.functions

  alarm_name = "${each.value.name}-errors"
  alarm_description = join(" ", [
    "${each.key} crashed, ran out of time or could not start, in ${var.thresholds.error_minutes} of 10 minutes. What it worked on comes again and ends in the dead-letter queue or the quarantine; a caller of the API got a 5xx.",
    "Runbook: ${var.alarms.runbook_url}#function-errors",
    "Start with `aws logs tail ${each.value.log_group_name} --since 30m --filter-pattern ERROR`: the last stack is the reason. Then `millrace status ${local.here}`.",
  ])

  namespace   = "AWS/Lambda"
  metric_name = "Errors"
  dimensions  = { FunctionName = each.value.name }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 10 # a queue gives a crashed batch back after minutes: the next crash must still be in sight
  datapoints_to_alarm = var.thresholds.error_minutes
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  for_each = local.on_aws.functions

  alarm_name = "${each.value.name}-throttled"
  alarm_description = join(" ", [
    "${each.key} was refused a turn in 3 of 5 minutes: the account's or its own concurrency is used up. Queues and streams wait and try again; callers of the API get a 5xx.",
    "Runbook: ${var.alarms.runbook_url}#function-throttled",
    "Start with `aws lambda get-account-settings --query AccountLimit` and `aws lambda get-function-concurrency --function-name ${each.value.name}`.",
  ])

  namespace   = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions  = { FunctionName = each.value.name }
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

resource "aws_cloudwatch_metric_alarm" "slow" {
  for_each = local.on_aws.functions

  alarm_name = "${each.value.name}-slow"
  alarm_description = join(" ", [
    "The slowest hundredth of ${each.key}'s invocations took more than ${floor(var.thresholds.slow_share * 100)} % of its ${each.value.timeout_seconds} s in 3 of 5 minutes: beyond them they are killed and their work comes again.",
    "Runbook: ${var.alarms.runbook_url}#function-slow",
    "Start with `millrace map ${local.here}`: it shows the call that is slow.",
  ])

  namespace          = "AWS/Lambda"
  metric_name        = "Duration"
  dimensions         = { FunctionName = each.value.name }
  extended_statistic = "p99"
  period             = 60

  comparison_operator                   = "GreaterThanThreshold"
  threshold                             = var.thresholds.slow_share * each.value.timeout_seconds * 1000
  evaluation_periods                    = 5
  datapoints_to_alarm                   = 3
  treat_missing_data                    = "notBreaching"
  evaluate_low_sample_count_percentiles = "evaluate" # even one invocation so near its end is worth a look when it repeats

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# A function behind the API answers a fault of its own with a 500 and does not crash: its errors know nothing of it.
resource "aws_cloudwatch_metric_alarm" "answers_fail" {
  for_each = local.answering_on_aws

  alarm_name = "${each.value.name}-answers-fail"
  alarm_description = join(" ", [
    "${each.key} answered requests with a 500 in ${var.thresholds.error_minutes} of 10 minutes: it met what it did not expect, a bug or something it depends on.",
    "Runbook: ${var.alarms.runbook_url}#answers-fail",
    "Start with `aws logs tail ${each.value.log_group_name} --since 30m --filter-pattern '\"request failed\"'`: the last stack is the reason. Then `millrace status ${local.here}`.",
  ])

  namespace   = var.stack.project
  metric_name = "RequestsFailed"
  dimensions  = { function = each.value.name }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 10
  datapoints_to_alarm = var.thresholds.error_minutes
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}
