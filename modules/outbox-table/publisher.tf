# The generic publisher: every new event item in the table's stream goes to the bus.

locals {
  holds_events   = var.bus != null
  publisher_name = "${var.name}-publisher"

  new_events = jsonencode({
    eventName = ["INSERT"]
    dynamodb  = { Keys = { sk = { S = [{ prefix = "event#" }] } } }
  })
}

module "publisher" {
  source = "../lambda-function"
  count  = local.holds_events ? 1 : 0

  name        = local.publisher_name
  description = "Publishes the events written to the table ${local.full_name}."
  platform    = var.platform
  # All publishers run the same code: each signs with its own name, or one's metrics could not be told from another's.
  code = { service = "outbox", module = "publish_events", signs_as = local.publisher_name }

  environment = {
    EVENT_BUS         = var.bus.name
    QUARANTINE_BUCKET = var.bus.quarantine_name
  }
  resources = {
    memory_mb       = var.publisher.memory_mb
    timeout_seconds = 60
  }
  policies = {
    read-stream     = data.aws_iam_policy_document.read_stream[0].json
    publish-events  = data.aws_iam_policy_document.publish_events[0].json
    keep-quarantine = data.aws_iam_policy_document.keep_quarantine[0].json
  }
}

resource "aws_lambda_event_source_mapping" "publisher" {
  count = local.holds_events ? 1 : 0

  event_source_arn  = aws_dynamodb_table.this.stream_arn
  function_name     = module.publisher[0].name
  starting_position = "TRIM_HORIZON" # LATEST would miss what is written while the mapping starts

  batch_size                         = var.publisher.batch_size
  parallelization_factor             = var.publisher.parallelization
  maximum_batching_window_in_seconds = 0
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = 100
  maximum_record_age_in_seconds      = 6 * 3600 # a quarter of the stream's memory is left to mend a publisher that fell behind

  filter_criteria {
    filter {
      pattern = local.new_events
    }
  }

  destination_config {
    on_failure {
      # S3 keeps the records themselves; a queue would keep only their positions in a stream that forgets.
      destination_arn = local.quarantine_arn
    }
  }

  dynamic "metrics_config" {
    for_each = var.platform.aws_only_features ? ["EventCount"] : []

    content {
      metrics = [metrics_config.value]
    }
  }
}
