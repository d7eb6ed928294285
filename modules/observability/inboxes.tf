# Two alarms for every inbox, beside those that it brings itself: its messages are late, and nothing gets done at all.

locals {
  queue_arn_prefix = "arn:${var.stack.partition}:sqs:${var.stack.region}:${var.stack.account_id}"
}

resource "aws_cloudwatch_metric_alarm" "late" {
  for_each = local.on_aws.inboxes

  alarm_name = "${each.value.name}-late"
  alarm_description = join(" ", [
    "The oldest message of the inbox ${each.key} has waited more than ${var.thresholds.late_minutes} minutes, for 5 minutes: its consumer is slower than what comes in, or fails.",
    "Runbook: ${var.alarms.runbook_url}#inbox-late",
    "Start with `millrace status ${local.here}`, then `aws logs tail ${try(local.functions[each.key].log_group_name, "/aws/lambda/${each.value.name}")} --since 30m --filter-pattern ERROR`.",
  ])

  namespace   = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions  = { QueueName = each.value.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.late_minutes * 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching" # an idle queue reports nothing

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# A dead consumer has no errors, no throttles and no durations: only what does not happen tells of it.
resource "aws_cloudwatch_metric_alarm" "stalled" {
  for_each = local.on_aws.inboxes

  alarm_name = "${each.value.name}-stalled"
  alarm_description = join(" ", [
    "Events come into the inbox ${each.key} or wait there, and for ${var.thresholds.stalled_minutes} minutes not one was done: its consumer is dead, switched off, or fails at everything. This goes off without any error of the function.",
    "Runbook: ${var.alarms.runbook_url}#inbox-stalled",
    "Start with `aws lambda list-event-source-mappings --event-source-arn ${local.queue_arn_prefix}:${each.value.name} --query 'EventSourceMappings[].[State,StateTransitionReason,LastProcessingResult]'`.",
  ])

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = var.thresholds.stalled_minutes / 5
  treat_missing_data  = "notBreaching"

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "stalled"
    label       = "Work, and nothing done"
    expression  = "IF((FILL(sent, 0) > 0 OR FILL(waiting, 0) > 0) AND FILL(done, 0) == 0, 1, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      sent    = { name = "NumberOfMessagesSent", stat = "Sum" }
      waiting = { name = "ApproximateNumberOfMessagesVisible", stat = "Minimum" }
      done    = { name = "NumberOfMessagesDeleted", stat = "Sum" }
    }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value.name
        dimensions  = { QueueName = each.value.name }
        stat        = metric_query.value.stat
        period      = 300
      }
    }
  }
}
