# Which traces are kept, and the group that gathers those that failed (in the whole region: a group cannot filter by the start of a name).

resource "aws_xray_sampling_rule" "this" {
  count = var.xray == null ? 0 : 1

  rule_name      = "${local.prefix}-functions"
  priority       = 1000
  reservoir_size = var.xray.reservoir
  fixed_rate     = var.xray.fixed_rate
  service_name   = "${local.prefix}-*"
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
  version        = 1

  lifecycle {
    precondition {
      condition     = length("${local.prefix}-functions") <= 32
      error_message = "A sampling rule's name wants at most 32 characters; got ${length("${local.prefix}-functions")} in \"${local.prefix}-functions\"."
    }
  }
}

resource "aws_xray_group" "failures" {
  count = var.xray == null ? 0 : 1

  group_name        = "${local.prefix}-failures"
  filter_expression = "fault OR error"

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false
  }
}
