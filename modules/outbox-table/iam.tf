# What the publisher may do, and the documents that give functions of the service their access to the table.

data "aws_iam_policy_document" "publish_events" {
  count = local.holds_events ? 1 : 0

  statement {
    sid       = "PublishEvents"
    actions   = ["events:PutEvents"]
    resources = [var.bus.arn]

    # Each entry of a call is judged by itself, with its own source and type; one without them is refused.
    condition {
      test     = "StringEquals"
      variable = "events:source"
      values   = [local.source]
    }
    condition {
      test     = "StringEquals"
      variable = "events:detail-type"
      values   = keys(var.emits)
    }
  }
}

data "aws_iam_policy_document" "read_table" {
  statement {
    sid       = "ReadTable"
    actions   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
    resources = [local.arn, "${local.arn}/index/*"]
  }
}

data "aws_iam_policy_document" "write_table" {
  statement {
    # A transaction needs the permission of each of its actions, and one of its own for a mere condition.
    sid       = "WriteTable"
    actions   = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"]
    resources = [local.arn]
  }
}
