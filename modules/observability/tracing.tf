# The group that gathers traces that failed (in the whole region: a group cannot filter by the start of a name). Which traces are kept
# is Lambda's own: the first request of each second and 5 % of the others, whatever a sampling rule says.

resource "aws_xray_group" "failures" {
  count = var.xray ? 1 : 0

  group_name        = "${local.prefix}-failures"
  filter_expression = "fault OR error"

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false
  }
}
