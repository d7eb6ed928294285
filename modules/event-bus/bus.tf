# The bus that domain events ride, and the archive they are replayed from.

locals {
  full_name = "${var.platform.prefix}-${var.name}"
  bus_arn   = "arn:${var.platform.partition}:events:${var.platform.region}:${var.platform.account_id}:event-bus/${aws_cloudwatch_event_bus.this.name}"
}

resource "aws_cloudwatch_event_bus" "this" {
  name        = local.full_name
  description = "Domain events of ${var.platform.prefix}."
  # Encrypted with the key that AWS owns: the archive and the discoverer do not take a customer's key in every supported provider.
}

resource "aws_cloudwatch_event_archive" "this" {
  name             = local.full_name
  description      = "Everything that was on the bus, for replay."
  event_source_arn = local.bus_arn
  retention_days   = var.platform.data.archive_days

  # Replayed events carry "replay-name": archiving them again would double the archive at every replay.
  event_pattern = jsonencode({ replay-name = [{ exists = false }] })
}
