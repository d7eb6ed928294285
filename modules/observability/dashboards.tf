# An overview, and a dashboard per capability: a row per service, all from the services' outputs.

locals {
  capabilities = { for service, it in local.on_aws.services : it.capability => service... }

  runbook = "[Runbook](${var.alarms.runbook_url})"
  pages = sort(concat(
    [for service in keys(local.failing) : "${local.prefix}-${service}-failing"],
    [for service in keys(local.left_behind) : "${local.prefix}-${service}-left-behind"],
    [for name in keys(local.absences) : "${local.prefix}-${name}"],
    [for api in keys(local.on_aws.api) : "${local.prefix}-api-failing"],
  ))
  alarm_arn_prefix = "arn:${var.stack.partition}:cloudwatch:${var.stack.region}:${var.stack.account_id}:alarm"

  # CloudWatch may refuse a widget that shows nothing: a stack may have no capabilities yet.
  overview = concat(
    [local.overview_words],
    [
      for alarms in [[for name in local.pages : "${local.alarm_arn_prefix}:${name}"]] : { type = "alarm", width = 24, height = 4, properties = { title = "Pages", alarms = alarms } }
      if length(alarms) > 0
    ],
    [
      for widget in concat(local.overview_rows, local.api_row) : { type = "metric", width = 8, height = 6, properties = merge(local.graph, widget) }
      if length(widget.metrics) > 0
    ],
  )
  graph = { region = var.stack.region, view = "timeSeries", period = 60, stat = "Sum" }

  overview_words = {
    type   = "text"
    width  = 24
    height = 3
    properties = { markdown = join("\n", [
      "# ${local.prefix}",
      "${local.runbook} | `millrace status ${local.here}` first, then `millrace dlq list ${local.here}`, `millrace map ${local.here}`.",
      "Saved queries in Logs Insights: ${local.prefix}/...",
    ]) }
  }

  overview_rows = [
    {
      title = "Age of an event when it had its effect, p99 (ms), promised: ${var.objectives.effects.seconds * 1000}"
      stat  = "p99"
      metrics = [
        for inbox in values(local.inboxes) : [var.stack.project, "EventAgeMs", "inbox", inbox.name, { label = inbox.name }]
      ]
      annotations = { horizontal = [{ label = "promise", value = var.objectives.effects.seconds * 1000 }] }
    },
    {
      title   = "Dead letters"
      stat    = "Maximum"
      metrics = [for short, queue in local.dead_letter_queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { label = short }]]
    },
    {
      title   = "Crashes"
      metrics = [for short, function in local.functions : ["AWS/Lambda", "Errors", "FunctionName", function.name, { label = short }]]
    },
    {
      title   = "Age of the oldest message (s)"
      stat    = "Maximum"
      metrics = [for short, inbox in local.inboxes : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", inbox.name, { label = short }]]
    },
    {
      title   = "Age of the streams' readers (ms)"
      stat    = "Maximum"
      metrics = [for short, stream in local.streams : ["AWS/Lambda", "IteratorAge", "FunctionName", stream.function, { label = short }]]
    },
    {
      title = "Events on the bus"
      metrics = [
        ["AWS/Events", "MatchedEvents", "EventBusName", var.bus_name, { label = "matched" }],
        ["AWS/Events", "PutEventsFailedEntriesCount", { label = "refused (whole account)" }],
      ]
    },
  ]

  api_row = flatten([
    for api in values(local.on_aws.api) : [
      {
        title = "Requests"
        metrics = [
          ["AWS/ApiGateway", "Count", "ApiId", api.id, { label = "all" }],
          ["AWS/ApiGateway", "4xx", "ApiId", api.id, { label = "4xx" }],
          ["AWS/ApiGateway", "5xx", "ApiId", api.id, { label = "5xx" }],
        ]
      },
      {
        title = "Latency (ms)"
        metrics = [
          ["AWS/ApiGateway", "Latency", "ApiId", api.id, { label = "p50", stat = "p50" }],
          ["AWS/ApiGateway", "Latency", "ApiId", api.id, { label = "p99", stat = "p99" }],
        ]
      },
    ]
  ])

  # By service: a line of words, then what its functions, inboxes and streams do.
  rows = {
    for service, it in local.on_aws.services : service => concat(
      [{ type = "text", width = 24, height = 2, properties = { markdown = "## ${service}\n${local.runbook} | `millrace status ${local.here}`${length(it.dead_letter_queues) == 0 ? "" : " | `millrace dlq list ${local.here}`"}" } }],
      [
        for widget in concat(local.function_widgets[service], local.inbox_widgets[service], local.stream_widgets[service]) :
        { type = "metric", width = 6, height = 6, properties = merge(local.graph, widget) }
      ],
    )
  }

  function_widgets = {
    for service, it in local.on_aws.services : service => [
      {
        title = "Invocations, crashes, throttles"
        metrics = flatten([
          for short, function in it.functions : [
            for metric in ["Invocations", "Errors", "Throttles"] :
            { row = ["AWS/Lambda", metric, "FunctionName", function.name, { label = "${short} ${lower(metric)}" }] }
          ]
        ])[*].row
      },
      {
        title   = "Duration, p99 (ms)"
        stat    = "p99"
        metrics = [for short, function in it.functions : ["AWS/Lambda", "Duration", "FunctionName", function.name, { label = short }]]
      },
    ]
  }

  inbox_widgets = {
    for service, it in local.on_aws.services : service => [for widget in [
      {
        title = "Events in, effects out"
        metrics = flatten([
          for short, inbox in it.inboxes : [
            for metric, word in { NumberOfMessagesSent = "in", NumberOfMessagesDeleted = "done" } :
            { row = ["AWS/SQS", metric, "QueueName", inbox.name, { label = "${short} ${word}" }] }
          ]
        ])[*].row
      },
      {
        title = "Waiting, and dead letters"
        stat  = "Maximum"
        metrics = concat(
          [for short, inbox in it.inboxes : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", inbox.name, { label = "${short} waiting" }]],
          [for short, queue in it.dead_letter_queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { label = "${short} dead letters" }]],
        )
      },
    ] : widget if length(it.inboxes) > 0]
  }

  stream_widgets = {
    for service, it in local.on_aws.services : service => [for widget in [
      {
        title   = "Age of the streams' readers (ms)"
        stat    = "Maximum"
        metrics = [for short, stream in it.streams : ["AWS/Lambda", "IteratorAge", "FunctionName", stream.function, { label = short }]]
      },
    ] : widget if length(it.streams) > 0]
  }
}

resource "aws_cloudwatch_dashboard" "overview" {
  count = var.aws_only_features ? 1 : 0

  dashboard_name = local.prefix
  dashboard_body = jsonencode({ start = "-PT3H", widgets = local.overview })
}

resource "aws_cloudwatch_dashboard" "capability" {
  for_each = local.capabilities

  dashboard_name = "${local.prefix}-${each.key}"
  dashboard_body = jsonencode({ start = "-PT3H", widgets = flatten([for service in sort(each.value) : local.rows[service]]) })
}
