# Who may use the key: the account's own roles by their policies, and three AWS services only for resources that bear the prefix.

locals {
  account_arn = "${var.account.region}:${var.account.id}"
}

# In a key's policy the resource "*" means this key and no other.
data "aws_iam_policy_document" "key" {
  statement {
    sid       = "LetRolesUseTheirPolicies"
    actions   = ["kms:*"] # without it nobody, not even the account's administrator, could ever change the key
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${var.account.partition}:iam::${var.account.id}:root"]
    }
  }

  statement {
    sid       = "EncryptLogs"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.account.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values = [
        for service in ["lambda", "vendedlogs"] : # functions, and the API's access log
        "arn:${var.account.partition}:logs:${local.account_arn}:log-group:/aws/${service}/${var.prefix}-*"
      ]
    }
  }

  statement {
    sid       = "LetRulesFillQueues"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    # SQS names the queue in every call to KMS, which holds where a source account might be missing.
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:sqs:arn"
      values   = ["arn:${var.account.partition}:sqs:${local.account_arn}:${var.prefix}-*"]
    }
  }

  statement {
    sid       = "LetAlarmsTellTopics"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:sns:topicArn"
      values   = ["arn:${var.account.partition}:sns:${local.account_arn}:${var.prefix}-*"]
    }
  }
}
