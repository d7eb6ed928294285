# Saved queries over the functions' JSON logs: what an on-call engineer asks first, under the stack's name in Logs Insights.

locals {
  log_groups = sort([for function in values(local.functions) : function.log_group_name])

  queries = {
    failed-records  = <<-EOT
      fields @timestamp
      | filter message = "record failed"
      | stats count(*) as times, latest(@timestamp) as last by service, reason, poison
      | sort times desc
    EOT
    one-correlation = <<-EOT
      fields @timestamp, service, level, message, event_type, subject, event_id
      | filter correlation_id = "put the correlation id here"
      | sort @timestamp asc
      | limit 1000
    EOT
    crashes         = <<-EOT
      fields @timestamp, @log
      | filter type = "platform.report" and record.status != "success"
      | stats count(*) as times, latest(@timestamp) as last by @log, record.status, record.errorType
      | sort times desc
    EOT
    slowest         = <<-EOT
      filter type = "platform.report"
      | stats count(*) as invocations, pct(record.metrics.durationMs, 50) as p50_ms, pct(record.metrics.durationMs, 99) as p99_ms, max(record.metrics.maxMemoryUsedMB) as memory_mb by @log
      | sort p99_ms desc
    EOT
    last-errors     = <<-EOT
      fields @timestamp, service, message, reason, correlation_id, exception
      | filter level = "ERROR"
      | sort @timestamp desc
      | limit 100
    EOT
  }
}

resource "aws_cloudwatch_query_definition" "functions" {
  for_each = var.aws_only_features && length(local.log_groups) > 0 ? local.queries : {}

  name            = "${local.prefix}/${each.key}"
  query_string    = trimspace(each.value)
  log_group_names = local.log_groups

  lifecycle {
    precondition {
      condition     = length(local.log_groups) <= 50
      error_message = "A saved query looks into at most 50 log groups; got ${length(local.log_groups)}."
    }
  }
}

resource "aws_cloudwatch_query_definition" "api" {
  for_each = local.on_aws.api

  name            = "${local.prefix}/api-failures"
  log_group_names = [each.value.access_log_name]
  query_string = trimspace(<<-EOT
    filter status >= 500
    | stats count(*) as times, latest(time) as last by route, status, function_status, integration_error
    | sort times desc
  EOT
  )
}
