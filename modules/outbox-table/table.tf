# State items and event items in one table: they are written in one transaction, so neither exists without the other.

locals {
  full_name = "${var.platform.prefix}-${var.name}"
  arn       = "arn:${var.platform.partition}:dynamodb:${var.platform.region}:${var.platform.account_id}:table/${aws_dynamodb_table.this.name}"

  stream = { kind = "dynamodb", name = aws_dynamodb_table.this.name, arn = aws_dynamodb_table.this.stream_arn }

  # Indexes may share an attribute, so each is a map of its own to be merged.
  attributes = merge(
    { pk = "S", sk = "S" },
    [
      for index in values(var.indexes) : merge(
        { (index.hash.name) = index.hash.type },
        try({ (index.range.name) = index.range.type }, {}),
      )
    ]...
  )
}

resource "aws_dynamodb_table" "this" {
  name         = local.full_name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  # The publisher needs only what was written, never what was there before.
  stream_enabled   = local.holds_events
  stream_view_type = local.holds_events ? "NEW_IMAGE" : null

  deletion_protection_enabled = var.platform.data.protect

  dynamic "attribute" {
    for_each = local.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash.name
      range_key       = try(global_secondary_index.value.range.name, null)
      projection_type = global_secondary_index.value.keys_only ? "KEYS_ONLY" : "ALL"
    }
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.platform.data.point_in_time_recovery
  }

  # Off means the key owned by AWS: the table is encrypted at rest either way.
  server_side_encryption {
    enabled     = var.platform.kms != null
    kms_key_arn = try(var.platform.kms.key_arn, null)
  }
}
