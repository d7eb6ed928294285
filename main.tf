# The stack: one platform, and the capabilities that are asked for. Wiring only.

locals {
  prefix = "${var.project}-${var.environment}"
  kms    = var.data.customer_managed_key ? { key_arn = one(module.encryption[*].key_arn) } : null

  platform = {
    project     = var.project
    environment = var.environment
    prefix      = local.prefix
    region      = var.account.region
    account_id  = var.account.id
    partition   = var.account.partition

    artifacts = var.artifacts
    runtime   = var.runtime
    logs      = var.logs
    kms       = local.kms
    alarms = {
      topic_arn   = module.observability.alarm_topic_arn
      runbook_url = var.alarms.runbook_url
    }
    data              = var.data
    aws_only_features = var.aws_only_features
  }

  bus = {
    name            = module.event_bus.bus_name
    arn             = module.event_bus.bus_arn
    quarantine_name = module.event_bus.quarantine_name
  }
}

module "encryption" {
  source = "./modules/encryption"
  count  = var.data.customer_managed_key ? 1 : 0

  prefix  = local.prefix
  account = var.account
}

module "observability" {
  source = "./modules/observability"

  prefix      = local.prefix
  alarm_email = var.alarms.email
  kms         = local.kms
  xray        = var.aws_only_features && var.runtime.tracing ? {} : null
}

module "event_bus" {
  source = "./modules/event-bus"

  platform = local.platform
}

module "image_pipeline" {
  source = "./modules/image-pipeline"
  count  = contains(var.capabilities, "images") ? 1 : 0

  platform = local.platform
  bus      = local.bus
  profile  = var.images.profile
  function = var.images.function
}
