# If wanted: what devices publish over MQTT goes onto the same stream. What cannot be put there is kept in the quarantine.

locals {
  iot_rule = replace(local.full_name, "-", "_") # a rule's name knows no hyphens
  # The device is the first level of the topic that stands for anything; a topic without one leaves it to the payload.
  device_level  = try(index(split("/", var.iot.topic), "+") + 1, 0)
  partition_key = local.device_level == 0 ? "$${device}" : "$${topic(${local.device_level})}"
  iot_folder    = "quarantine/${local.full_name}-iot"
}

resource "aws_iot_topic_rule" "telemetry" {
  count = var.iot == null ? 0 : 1

  name        = local.iot_rule
  description = "Puts what devices publish onto the stream ${local.full_name}."
  enabled     = true
  sql         = "SELECT * FROM '${var.iot.topic}'"
  sql_version = "2016-03-23"

  kinesis {
    stream_name   = aws_kinesis_stream.this.name
    partition_key = local.partition_key # all records of a device in one shard, or they would lose their order
    role_arn      = aws_iam_role.iot[0].arn
  }

  error_action {
    s3 {
      bucket_name = var.bus.quarantine_name
      key         = "${local.iot_folder}/$${newuuid()}.json"
      role_arn    = aws_iam_role.iot[0].arn
    }
  }

  # Without its permissions the first messages would be lost.
  depends_on = [aws_iam_role_policy.iot]
}

resource "aws_iam_role" "iot" {
  count = var.iot == null ? 0 : 1

  name               = "${local.full_name}-iot"
  description        = "What the topic rule ${local.iot_rule} may do."
  assume_role_policy = data.aws_iam_policy_document.assume_by_iot.json
}

resource "aws_iam_role_policy" "iot" {
  for_each = var.iot == null ? {} : {
    put-records     = data.aws_iam_policy_document.put_records.json
    keep-quarantine = data.aws_iam_policy_document.keep_quarantine.json
  }

  name   = each.key
  role   = aws_iam_role.iot[0].name
  policy = each.value
}

data "aws_iam_policy_document" "assume_by_iot" {
  statement {
    sid     = "AssumeByIot"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["iot.amazonaws.com"]
    }

    # The service acts for anybody who names the role: only rules of this account may.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.platform.account_id]
    }
  }
}

data "aws_iam_policy_document" "put_records" {
  statement {
    sid       = "PutRecords"
    actions   = ["kinesis:PutRecord"]
    resources = [local.stream_arn]
  }

  dynamic "statement" {
    for_each = var.platform.kms == null ? [] : [var.platform.kms.key_arn]

    content {
      sid       = "EncryptRecords"
      actions   = ["kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "keep_quarantine" {
  statement {
    sid       = "KeepQuarantine"
    actions   = ["s3:PutObject"]
    resources = ["arn:${var.platform.partition}:s3:::${var.bus.quarantine_name}/${local.iot_folder}/*"]
  }
}
