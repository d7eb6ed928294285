# One fault pages once: composite alarms gather what one fault sets off, and they alone tell the topic of pages.

locals {
  # What tells that a service does not do its work now; its dead letters are told apart, for they stay until somebody sends them again.
  failing = {
    for service, it in local.on_aws.services : service => sort(concat(
      [for short in keys(it.functions) : aws_cloudwatch_metric_alarm.errors[short].alarm_name],
      [for short in keys(it.functions) : aws_cloudwatch_metric_alarm.throttled[short].alarm_name],
      [for short in keys(it.functions) : aws_cloudwatch_metric_alarm.slow[short].alarm_name],
      [for short in keys(it.functions) : aws_cloudwatch_metric_alarm.answers_fail[short].alarm_name if contains(keys(local.answering_on_aws), short)],
      [for short in keys(it.inboxes) : aws_cloudwatch_metric_alarm.late[short].alarm_name],
      [for short in keys(it.inboxes) : aws_cloudwatch_metric_alarm.stalled[short].alarm_name],
      [for queue in values(it.dead_letter_queues) : queue.alarms.undelivered if queue.alarms.undelivered != null],
      [for queue in values(it.dead_letter_queues) : queue.alarms.unscheduled if queue.alarms.unscheduled != null],
      [for stream in values(it.streams) : stream.alarms.lags],
      [for stream in values(it.streams) : stream.alarms.stalled if stream.alarms.stalled != null],
      values(it.alarms),
    ))
  }
  left_behind = {
    for service, it in local.on_aws.services : service => sort(concat(
      [for queue in values(it.dead_letter_queues) : queue.alarms.dead_letter],
      [for stream in values(it.streams) : stream.alarms.quarantined],
    )) if length(it.dead_letter_queues) + length(it.streams) > 0
  }
  absences = merge([
    for service, it in local.on_aws.services : {
      for word, alarm in it.absences : "${service}-${word}" => { service = service, alarm = alarm }
    }
  ]...)
  # What makes a caller's 5xx. Not what is merely slow: one slow function would hide every other fault of the API.
  behind_api = sort(flatten([
    for short in keys(local.answering_on_aws) : [
      aws_cloudwatch_metric_alarm.errors[short].alarm_name,
      aws_cloudwatch_metric_alarm.throttled[short].alarm_name,
      aws_cloudwatch_metric_alarm.answers_fail[short].alarm_name,
    ]
  ]))

  burning = {
    for service in keys(local.promising) : service => join(" OR ", [
      for pace in ["fast", "slow"] :
      "(ALARM(\"${aws_cloudwatch_metric_alarm.effects_late["${service}-${pace}-long"].alarm_name}\") AND ALARM(\"${aws_cloudwatch_metric_alarm.effects_late["${service}-${pace}-short"].alarm_name}\"))"
    ])
  }
}

resource "aws_cloudwatch_composite_alarm" "failing" {
  for_each = local.failing

  alarm_name = "${local.prefix}-${each.key}-failing"
  alarm_description = join(" ", [
    "${each.key} does not do its work, or not in time: at least one of its functions, inboxes or streams is in alarm, or its promise is being used up. Until all of them are well this pages no second time.",
    "Runbook: ${var.alarms.runbook_url}#failing",
    "Start with `aws cloudwatch describe-alarms --children-of-alarm-name ${local.prefix}-${each.key}-failing --query \"MetricAlarms[?StateValue=='ALARM'].AlarmName\"`, then `aws cloudwatch describe-alarms --alarm-names` with those names, whose texts say what to do, and `millrace status ${local.here}`.",
  ])
  alarm_rule = join(" OR ", concat(
    [for name in each.value : "ALARM(\"${name}\")"],
    [for service, rule in local.burning : rule if service == each.key],
  ))

  alarm_actions = [aws_sns_topic.pages.arn]
  ok_actions    = [aws_sns_topic.pages.arn]

  lifecycle {
    precondition {
      condition     = length(each.value) + 4 <= 100
      error_message = "A composite alarm takes at most 100 alarms; got ${length(each.value) + 4} of the service ${each.key}: divide it."
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "left_behind" {
  for_each = local.left_behind

  alarm_name = "${local.prefix}-${each.key}-left-behind"
  alarm_description = join(" ", [
    "${each.key}: events wait as dead letters or records in quarantine, and nothing will take them out but you. While the service is failing this says nothing: mend that first.",
    "Runbook: ${var.alarms.runbook_url}#left-behind",
    "Start with `millrace dlq list ${local.here}`.",
  ])
  alarm_rule = join(" OR ", [for name in each.value : "ALARM(\"${name}\")"])

  # The fault that makes dead letters has paged already. When it is over and they are still there, this pages.
  actions_suppressor {
    alarm            = aws_cloudwatch_composite_alarm.failing[each.key].alarm_name
    wait_period      = (var.thresholds.stalled_minutes + 5) * 60 # a handler that refuses everything has no errors: only the stall tells
    extension_period = 300
  }

  alarm_actions = [aws_sns_topic.pages.arn]
  ok_actions    = [aws_sns_topic.pages.arn]
}

# What does not come from outside has no fault here: it pages by itself and holds no other page back, for it may last.
resource "aws_cloudwatch_composite_alarm" "absent" {
  for_each = local.absences

  alarm_name = "${local.prefix}-${each.key}"
  alarm_description = join(" ", [
    "${each.value.service}: what should come from outside does not come. Nothing of the service itself fails, and its other pages come as ever.",
    "Runbook: ${var.alarms.runbook_url}#absent",
    "Start with `aws cloudwatch describe-alarms --alarm-names ${each.value.alarm} --query 'MetricAlarms[].AlarmDescription' --output text`: it says what to look at.",
  ])
  alarm_rule = "ALARM(\"${each.value.alarm}\")"

  alarm_actions = [aws_sns_topic.pages.arn]
  ok_actions    = [aws_sns_topic.pages.arn]
}

# What the callers of the API see is told only when no function behind it has been told already.
resource "aws_cloudwatch_composite_alarm" "behind_api" {
  count = length(local.on_aws.api) > 0 && length(local.behind_api) > 0 ? 1 : 0

  alarm_name = "${local.prefix}-behind-api"
  alarm_description = join(" ", [
    "A function behind the API crashes, is throttled or fails at requests. It pages with its own service; this alarm tells nobody, it keeps the API's page silent meanwhile.",
    "Runbook: ${var.alarms.runbook_url}#failing",
    "Start with `aws cloudwatch describe-alarms --children-of-alarm-name ${local.prefix}-behind-api --query \"MetricAlarms[?StateValue=='ALARM'].AlarmName\"`.",
  ])
  alarm_rule = join(" OR ", [for name in local.behind_api : "ALARM(\"${name}\")"])

  lifecycle {
    precondition {
      condition     = length(local.behind_api) <= 100
      error_message = "A composite alarm takes at most 100 alarms, three a function: got ${length(local.behind_api)} behind the API."
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "api" {
  for_each = local.on_aws.api

  alarm_name = "${local.prefix}-api-failing"
  alarm_description = join(" ", [
    "Callers of the API see failures that are ours, or wait too long, and no function behind it says why.",
    "Runbook: ${var.alarms.runbook_url}#api-availability",
    "Start with `aws cloudwatch describe-alarms --children-of-alarm-name ${local.prefix}-api-failing --query \"MetricAlarms[?StateValue=='ALARM'].AlarmName\"`, then the saved query ${local.prefix}/api-failures.",
  ])
  alarm_rule = join(" OR ", concat(
    [for name in sort(values(each.value.alarms)) : "ALARM(\"${name}\")"],
    [
      for pace in ["fast", "slow"] :
      "(ALARM(\"${aws_cloudwatch_metric_alarm.requests_failed["${pace}-long"].alarm_name}\") AND ALARM(\"${aws_cloudwatch_metric_alarm.requests_failed["${pace}-short"].alarm_name}\"))"
    ],
  ))

  dynamic "actions_suppressor" {
    for_each = aws_cloudwatch_composite_alarm.behind_api

    content {
      alarm            = actions_suppressor.value.alarm_name
      wait_period      = 300                                 # the functions' alarms want failures in several minutes
      extension_period = local.windows["slow-short"].seconds # as long as the promise remembers what is over
    }
  }

  alarm_actions = [aws_sns_topic.pages.arn]
  ok_actions    = [aws_sns_topic.pages.arn]
}
