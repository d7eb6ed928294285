# A read side of the table's own events: fed by the stream, which keeps the order of events; the bus does not.

module "projection_stream" {
  source = "../stream-consumer"
  count  = var.projection == null ? 0 : 1

  platform        = var.platform
  stream          = local.stream
  function        = var.projection.function
  quarantine_name = var.bus.quarantine_name
  pattern         = local.new_events
  batch           = { size = var.projection.batch_size, parallelization = var.projection.parallelization }

  words = {
    lags = {
      meaning = "${var.name}: the read side is more than 5 minutes late. The stream forgets after 24 hours, the table does not."
      runbook = "${var.platform.alarms.runbook_url}#projection-lags"
      remedy  = "Start with `millrace status --environment ${var.platform.environment}`. If the stream forgot: `millrace replay projection ${var.name} --environment ${var.platform.environment}`."
    }
    quarantined = {
      meaning = "${var.name}: events could not be shown in the read side and lie in the bucket ${var.bus.quarantine_name}."
      runbook = "${var.platform.alarms.runbook_url}#quarantine"
      remedy  = "Start with `millrace dlq list --environment ${var.platform.environment}`. Once the cause is mended: `millrace replay projection ${var.name} --environment ${var.platform.environment}`."
    }
  }
}
