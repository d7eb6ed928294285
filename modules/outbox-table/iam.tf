# What the publisher may do, and the documents that give functions of the service their access to the table.

data "aws_iam_policy_document" "publish_events" {
  count = local.holds_events ? 1 : 0

  statement {
    sid       = "PublishEvents"
    actions   = ["events:PutEvents"]
    resources = [var.bus.arn]
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
