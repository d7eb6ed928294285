# An inbox cannot exist without the alarm on its dead letters, nor with a rule or a schedule that fails in silence.

locals {
  slowest_schedule = max(5, [for schedule in values(var.schedules) : schedule.minutes]...)
}

resource "aws_cloudwatch_metric_alarm" "dead_letter" {
  alarm_name = "${local.dead_letter_name}-not-empty"
  alarm_description = join(" ", [
    "${var.name}: an event could not be handled after ${local.max_receive_count} deliveries, or could not be delivered for 24 hours. It waits 14 days, then it is lost.",
    "Runbook: ${var.platform.alarms.runbook_url}#dead-letter-queue",
    "Start with `millrace dlq show ${var.name} --environment ${var.platform.environment}`. Once the cause is mended: `millrace dlq redrive ${var.name} --environment ${var.platform.environment}`.",
  ])

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = aws_sqs_queue.dead_letter.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # an idle queue reports nothing

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}

# A rule that may not write to the queue has no function that could fail: only the bus knows.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  count = length(var.subscriptions) > 0 ? 1 : 0

  alarm_name = "${local.full_name}-undelivered"
  alarm_description = join(" ", [
    "Events matched a rule of the inbox ${var.name} and could not be put into its queue: a permission or a key is wrong, or they were refused for 24 hours. They wait as dead letters, unless those cannot be written either.",
    "Runbook: ${var.platform.alarms.runbook_url}#undelivered-events",
    "Start with `millrace dlq show ${var.name} --environment ${var.platform.environment}`: the attribute ERROR_MESSAGE of a message is the reason.",
  ])

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 10 # failures are reported minutes late: a minute must still be looked at when its own come
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching" # the bus reports failures only when there are some

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]

  metric_query {
    id          = "failed"
    label       = "Events that could not be delivered"
    expression  = "SUM([${join(", ", [for index, key in keys(var.subscriptions) : "rule${index}"])}])" # + wants a value of every rule
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { for index, key in keys(var.subscriptions) : "rule${index}" => aws_cloudwatch_event_rule.this[key] }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/Events"
        metric_name = "FailedInvocations"
        # Rules of the default bus are counted without its name.
        dimensions = merge(
          { RuleName = metric_query.value.name },
          metric_query.value.event_bus_name == "default" ? {} : { EventBusName = metric_query.value.event_bus_name },
        )
        stat   = "Sum"
        period = 60
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.subscriptions) <= 10
      error_message = "An alarm takes at most 10 metrics, one a rule: an inbox wants at most 10 subscriptions; got ${length(var.subscriptions)}."
    }
  }
}

# A clock that stands still sends nothing: neither late messages nor dead letters tell of it.
resource "aws_cloudwatch_metric_alarm" "unscheduled" {
  count = length(var.schedules) > 0 && var.platform.aws_only_features ? 1 : 0

  alarm_name = "${local.full_name}-unscheduled"
  alarm_description = join(" ", [
    "Nothing came into the inbox ${var.name} for three times as long as its schedule waits: the schedule is off or gone, or may not write to the queue. What it asks for is not done meanwhile.",
    "Runbook: ${var.platform.alarms.runbook_url}#schedule-silent",
    "Start with ${join(" and ", [for schedule in aws_scheduler_schedule.this : "`aws scheduler get-schedule --name ${schedule.name} --query State`"])}.",
  ])

  namespace   = "AWS/SQS"
  metric_name = "NumberOfMessagesSent"
  dimensions  = { QueueName = aws_sqs_queue.this.name }
  statistic   = "Sum"
  period      = 60 * local.slowest_schedule

  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching" # the function polls the queue, so that an idle one reports zero; a new one reports nothing yet

  alarm_actions = [var.platform.alarms.topic_arn]
  ok_actions    = [var.platform.alarms.topic_arn]
}
