# The function may read this one stream, and keep in the quarantine what it cannot process; so may Lambda, in its name.

locals {
  quarantine_arn = "arn:${var.platform.partition}:s3:::${var.quarantine_name}"

  # Built from the name, which is known at plan time, so that the plan shows whole policies.
  readable = {
    # A table's stream is named by the time of its making.
    dynamodb = {
      arn     = "arn:${var.platform.partition}:dynamodb:${var.platform.region}:${var.platform.account_id}:table/${var.stream.name}/stream/*"
      actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
    }
    kinesis = {
      arn     = "arn:${var.platform.partition}:kinesis:${var.platform.region}:${var.platform.account_id}:stream/${var.stream.name}"
      actions = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
    }
  }[var.stream.kind]
}

data "aws_iam_policy_document" "read_stream" {
  statement {
    sid       = "ReadStream"
    actions   = local.readable.actions
    resources = [local.readable.arn]
  }
}

data "aws_iam_policy_document" "keep_quarantine" {
  statement {
    sid       = "KeepQuarantine"
    actions   = ["s3:PutObject"]
    resources = ["${local.quarantine_arn}/quarantine/${var.function.name}/*"]
  }
  statement {
    # "aws/lambda/<mapping>/<shard>/...": the mapping's id is not known before the mapping, which wants this permission first.
    sid       = "LetLambdaKeepQuarantine"
    actions   = ["s3:PutObject"]
    resources = ["${local.quarantine_arn}/aws/lambda/*"]
  }
  statement {
    # Lambda looks the bucket up before it writes to it.
    sid       = "FindQuarantine"
    actions   = ["s3:ListBucket"]
    resources = [local.quarantine_arn]
  }
}

resource "aws_iam_role_policy" "read_stream" {
  name   = "read-stream"
  role   = var.function.role_name
  policy = data.aws_iam_policy_document.read_stream.json
}

resource "aws_iam_role_policy" "keep_quarantine" {
  name   = "keep-quarantine"
  role   = var.function.role_name
  policy = data.aws_iam_policy_document.keep_quarantine.json
}
