# The registry of published contracts, and a discoverer that shows what really travels. A local AWS has neither.

resource "aws_schemas_registry" "this" {
  count = var.platform.aws_only_features ? 1 : 0

  name        = local.full_name
  description = "Contracts of the events on ${local.full_name}."
}

resource "aws_schemas_discoverer" "this" {
  count = var.platform.aws_only_features ? 1 : 0

  source_arn  = local.bus_arn
  description = "Discovers the events on ${local.full_name}."
}
