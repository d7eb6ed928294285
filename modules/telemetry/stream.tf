# What devices send, in the order of each device: the stream, and the one function that reads it.

locals {
  full_name = "${var.platform.prefix}-telemetry"
  # From the name, which is known at plan time, so that every policy can be read in the plan.
  stream_arn = "arn:${var.platform.partition}:kinesis:${var.platform.region}:${var.platform.account_id}:stream/${aws_kinesis_stream.this.name}"
}

resource "aws_kinesis_stream" "this" {
  name             = local.full_name
  shard_count      = var.stream.shards
  retention_period = var.stream.retention_hours

  stream_mode_details {
    stream_mode = var.stream.shards == null ? "ON_DEMAND" : "PROVISIONED"
  }

  # AWS's own key costs nothing and lets any producer in by its policy alone; a key of your own wants kms:GenerateDataKey of each.
  encryption_type = "KMS"
  kms_key_id      = try(var.platform.kms.key_arn, "alias/aws/kinesis")

  enforce_consumer_deletion = !var.platform.data.protect
}

module "ingest_telemetry_stream" {
  source = "../stream-consumer"

  platform = var.platform
  stream = {
    kind            = "kinesis"
    name            = aws_kinesis_stream.this.name
    arn             = local.stream_arn
    retention_hours = var.stream.retention_hours
  }
  function        = module.ingest_telemetry
  quarantine_name = var.bus.quarantine_name
  batch = {
    size            = var.ingest.batch_size
    window_seconds  = var.ingest.window_seconds
    parallelization = var.ingest.parallelization
  }

  words = {
    lags = {
      meaning = "Telemetry is worked on more than 5 minutes after it came: anomalies are told late. Records are skipped and kept in the quarantine an hour before the stream forgets them (after ${var.stream.retention_hours} hours), and at the latest an hour before they are 7 days old."
      runbook = "${var.platform.alarms.runbook_url}#telemetry-lags"
      remedy  = "Start with `aws logs tail ${module.ingest_telemetry.log_group_name} --since 30m --filter-pattern ERROR`: failing, or only too slow? Faster with more `ingest.parallelization`, memory or shards."
    }
    quarantined = {
      meaning = "Records could not be read and lie in the bucket ${var.bus.quarantine_name}, each with its reason; the others went on."
      runbook = "${var.platform.alarms.runbook_url}#telemetry-quarantine"
      remedy  = "Start with `aws s3 ls s3://${var.bus.quarantine_name}/quarantine/${module.ingest_telemetry.name}/`."
    }
  }
}
