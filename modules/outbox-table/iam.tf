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

# One statement for each action: a transaction needs the permission of each of its parts.
data "aws_iam_policy_document" "access" {
  for_each = var.access

  dynamic "statement" {
    for_each = each.value.items

    content {
      sid       = statement.key
      actions   = ["dynamodb:${statement.key}"]
      resources = [local.arn]

      # None of these actions can be asked for without a partition key, so there is always something to compare.
      condition {
        test     = "ForAllValues:StringLike"
        variable = "dynamodb:LeadingKeys"
        values   = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = length(each.value.indexes) == 0 ? [] : [each.value.indexes]

    content {
      sid       = "QueryIndexes"
      actions   = ["dynamodb:Query"]
      resources = [for index in statement.value : "${local.arn}/index/${index}"]
    }
  }
}
