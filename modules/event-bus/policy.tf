# Who may speak as which service. Each publisher's role is held to its own service as well; this holds for everybody
# else in the account whose own policies allow PutEvents.

locals {
  role_arn_prefix = "arn:${var.platform.partition}:iam::${var.platform.account_id}:role"

  # What operators did is told by themselves, so there is no role for it.
  speakers = merge({ "millrace.operations" = [] }, var.speakers)
}

data "aws_iam_policy_document" "speak_for_oneself" {
  dynamic "statement" {
    for_each = local.speakers

    content {
      sid       = replace(title(replace("Refuse others as ${statement.key}", "/[^A-Za-z0-9]+/", " ")), " ", "")
      effect    = "Deny"
      actions   = ["events:PutEvents"]
      resources = [local.bus_arn]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "StringEquals"
        variable = "events:source"
        values   = [statement.key]
      }
      condition {
        test     = "ArnNotLike"
        variable = "aws:PrincipalArn"
        values   = concat([for name in distinct(statement.value) : "${local.role_arn_prefix}/${name}"], var.platform.operators)
      }
      # The archive's replay has no principal, and "not like" would hold for it.
      condition {
        test     = "Null"
        variable = "aws:PrincipalArn"
        values   = ["false"]
      }
    }
  }
}

resource "aws_cloudwatch_event_bus_policy" "speak_for_oneself" {
  count = var.platform.aws_only_features ? 1 : 0 # a local AWS keeps no such policy

  event_bus_name = aws_cloudwatch_event_bus.this.name
  policy         = data.aws_iam_policy_document.speak_for_oneself.json
}
