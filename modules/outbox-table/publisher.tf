# The generic publisher: every new event item in the table's stream goes to the bus.

locals {
  holds_events   = var.bus != null
  publisher_name = "${var.name}-publisher"
  source         = one(distinct(values(var.emits)[*].source)) # null for a table that holds no events

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
    SPEAKS_AS         = local.source
    EMITS             = jsonencode(keys(var.emits))
  }
  resources = {
    memory_mb       = var.publisher.memory_mb
    timeout_seconds = 60
  }
  policies = {
    publish-events = data.aws_iam_policy_document.publish_events[0].json
  }
}

module "publisher_stream" {
  source = "../stream-consumer"
  count  = local.holds_events ? 1 : 0

  platform        = var.platform
  stream          = local.stream
  function        = module.publisher[0]
  quarantine_name = var.bus.quarantine_name
  pattern         = local.new_events
  batch           = { size = var.publisher.batch_size, parallelization = var.publisher.parallelization }

  words = {
    lags = {
      meaning = "${var.name}: events written more than 5 minutes ago are not on the bus yet. The stream forgets them after 24 hours, the table does not."
      runbook = "${var.platform.alarms.runbook_url}#publisher-lags"
      remedy  = "Start with `aws logs tail ${module.publisher[0].log_group_name} --since 30m --filter-pattern ERROR`. If it took a day: `millrace replay outbox ${var.name} --from 2d --environment ${var.platform.environment}`."
    }
    quarantined = {
      meaning = "${var.name}: events could not be published and lie in the bucket ${var.bus.quarantine_name}."
      runbook = "${var.platform.alarms.runbook_url}#quarantine"
      remedy  = "Start with `millrace dlq list --environment ${var.platform.environment}`. Once the cause is mended: `millrace replay outbox ${var.name} --from 2d --environment ${var.platform.environment}`."
    }
  }
}
