# What users are promised, and how fast the promise is being used up. Two windows each (Google's SRE workbook, chapter 5): the long one says that it matters, the short one that it still goes on.

locals {
  windows = {
    fast-long  = { seconds = 3600, burn = 14.4 } # 2 % of a month's error budget in an hour
    fast-short = { seconds = 300, burn = 14.4 }
    slow-long  = { seconds = 21600, burn = 6 } # 5 % of it in six hours
    slow-short = { seconds = 1800, burn = 6 }
  }

  # Services with inboxes promise that events have their effect in time.
  promising = { for service, it in local.on_aws.services : service => sort([for inbox in values(it.inboxes) : inbox.name]) if length(it.inboxes) > 0 }

  effect_windows = merge([
    for service, queues in local.promising : {
      for window, it in local.windows : "${service}-${window}" => merge(it, { service = service, queues = queues, window = window })
    }
  ]...)
  api_windows = { for window, it in local.windows : window => it if length(local.on_aws.api) > 0 }
}

resource "aws_cloudwatch_metric_alarm" "effects_late" {
  for_each = local.effect_windows

  alarm_name = "${local.prefix}-${each.value.service}-effects-${each.value.window}"
  alarm_description = join(" ", [
    "${each.value.service}: over ${each.value.seconds / 60} minutes, more than ${format("%.3g", min(100, each.value.burn * (1 - var.objectives.effects.share) * 100))} % of the events had their effect later than ${var.objectives.effects.seconds} s after they were written: ${each.value.burn} times what the promise of ${var.objectives.effects.share * 100} % allows. It pages with its sister window.",
    "Runbook: ${var.alarms.runbook_url}#effects-late",
    "Start with `millrace status ${local.here}`.",
  ])

  comparison_operator = "GreaterThanThreshold"
  threshold           = min(0.99, each.value.burn * (1 - var.objectives.effects.share))
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # no events, none late: that nothing is done at all is another alarm's

  metric_query {
    id          = "share"
    label       = "Share of events whose effect was late"
    expression  = "IF(total >= ${endswith(each.value.window, "long") ? var.objectives.least : 1}, late / total, 0)"
    return_data = true
  }

  metric_query {
    id         = "late"
    expression = join(" + ", [for index, queue in each.value.queues : "FILL(handled${index}, 0) * (100 - FILL(intime${index}, 100)) / 100"])
  }

  metric_query {
    id         = "total"
    expression = join(" + ", [for index, queue in each.value.queues : "FILL(handled${index}, 0)"])
  }

  dynamic "metric_query" {
    for_each = merge([
      for index, queue in each.value.queues : {
        "handled${index}" = { queue = queue, stat = "SampleCount" }
        "intime${index}"  = { queue = queue, stat = "PR(:${var.objectives.effects.seconds * 1000})" }
      }
    ]...)

    content {
      id = metric_query.key

      metric {
        namespace   = var.stack.project
        metric_name = "EventAgeMs"
        dimensions  = { inbox = metric_query.value.queue }
        stat        = metric_query.value.stat
        period      = each.value.seconds
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(each.value.queues) <= 5
      error_message = "An alarm takes at most 10 metrics, two an inbox: a service wants at most 5 inboxes to promise for together; got ${length(each.value.queues)} in ${each.value.service}."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "requests_failed" {
  for_each = local.api_windows

  alarm_name = "${local.prefix}-api-availability-${each.key}"
  alarm_description = join(" ", [
    "API: over ${each.value.seconds / 60} minutes, more than ${format("%.3g", each.value.burn * (1 - var.objectives.requests.share) * 100)} % of the requests were answered 5xx: ${each.value.burn} times what the promise of ${var.objectives.requests.share * 100} % allows. It pages with its sister window.",
    "Runbook: ${var.alarms.runbook_url}#api-availability",
    "Start with `millrace status ${local.here}`, then the saved query ${local.prefix}/api-failures.",
  ])

  comparison_operator = "GreaterThanThreshold"
  threshold           = min(0.99, each.value.burn * (1 - var.objectives.requests.share))
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    label       = "Share of requests answered 5xx"
    expression  = "IF(FILL(total, 0) >= ${endswith(each.key, "long") ? var.objectives.least : 1}, FILL(failed, 0) / FILL(total, 0), 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { failed = "5xx", total = "Count" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = metric_query.value
        dimensions  = { ApiId = var.api.id }
        stat        = "Sum"
        period      = each.value.seconds
      }
    }
  }
}
