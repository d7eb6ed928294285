# Every well-formed record as it was sent, in files by the date and hour of arrival; and the table through which Athena sees them.

module "raw" {
  source = "../bucket"

  name     = "telemetry-raw"
  platform = var.platform # not versioned: a file's name says which records it holds, a retry writes the same bytes

  infrequent_after_days = var.raw.infrequent_after_days
  expire_after_days     = var.raw.expire_after_days
}

locals {
  # A local AWS makes no databases for the provider (it asks for the tags of one without an account).
  lake     = var.platform.aws_only_features ? 1 : 0
  database = replace(local.full_name, "-", "_") # a hyphen would have to be quoted in every query
  raw_root = "s3://${module.raw.name}/raw"

  raw_columns = {
    version  = "int"
    device   = "string"
    type     = "string"
    time     = "bigint" # ms since 1970, by the device's clock
    sequence = "bigint"
    metrics  = "map<string,double>"
    firmware = "string"
    location = "struct<lat:double,lon:double>"
    arrival  = "bigint" # ms since 1970
    shard    = "string"
    lane     = "string" # the shard, and of a partition key that is not the device its digest: in a lane, positions rise
    position = "string"
  }
}

resource "aws_glue_catalog_database" "telemetry" {
  count = local.lake

  name        = local.database
  description = "Raw telemetry of ${var.platform.prefix}."
}

resource "aws_glue_catalog_table" "raw" {
  count = local.lake

  database_name = aws_glue_catalog_database.telemetry[0].name
  name          = "raw"
  description   = "Well-formed records as they were sent, by the date and hour of arrival (UTC). Delivered at least once: count distinct positions."
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    EXTERNAL       = "TRUE"
    classification = "json"

    # Athena works out which folders there are: nobody adds partitions, no crawler runs.
    "projection.enabled"            = "true"
    "projection.date.type"          = "date"
    "projection.date.format"        = "yyyy-MM-dd"
    "projection.date.range"         = "${var.raw.first_day},NOW"
    "projection.date.interval"      = "1"
    "projection.date.interval.unit" = "DAYS"
    "projection.hour.type"          = "integer"
    "projection.hour.range"         = "0,23"
    "projection.hour.digits"        = "2"
    "storage.location.template"     = "${local.raw_root}/date=$${date}/hour=$${hour}/"
  }

  dynamic "partition_keys" {
    for_each = ["date", "hour"]

    content {
      name = partition_keys.value
      type = "string"
    }
  }

  storage_descriptor {
    location      = local.raw_root
    input_format  = "org.apache.hadoop.mapred.TextInputFormat" # by its name it unpacks .gz
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      name                  = "json"
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
      parameters            = { "case.insensitive" = "false" } # a field that we ignore may be called "Time": beside "time" the row would be unreadable
    }

    dynamic "columns" {
      for_each = local.raw_columns

      content {
        name = columns.key
        type = columns.value
      }
    }
  }
}
