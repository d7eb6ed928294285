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
    operators         = concat(["arn:${var.account.partition}:iam::${var.account.id}:root"], local.operators)
    aws_only_features = var.aws_only_features
  }

  # People, as AWS tells them from what runs by itself.
  operators = var.account.operators != null ? var.account.operators : [
    "arn:${var.account.partition}:iam::${var.account.id}:user/*",
    "arn:${var.account.partition}:iam::${var.account.id}:role/aws-reserved/sso.amazonaws.com/*",
  ]

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

  stack = {
    project     = var.project
    environment = var.environment
    prefix      = local.prefix
    region      = var.account.region
    account_id  = var.account.id
    partition   = var.account.partition
  }
  alarms            = var.alarms
  kms               = local.kms
  xray              = var.aws_only_features && var.runtime.tracing
  aws_only_features = var.aws_only_features

  bus_name = module.event_bus.bus_name
  api = one([
    for api in module.http_api : { id = api.api_id, alarms = api.alarms, access_log_name = api.access_log_name }
  ])
  services = merge(concat(
    [
      for capability, services in local.by_capability : {
        for service, instances in services : service => merge(instances[0], { capability = capability }) if length(instances) > 0
      }
    ],
    [for api in module.http_api : { http-api = { capability = "api", functions = api.functions } }],
  )...)
}

module "operations" {
  source = "./modules/operations"

  stack   = { prefix = local.prefix, region = var.account.region, account_id = var.account.id, partition = var.account.partition }
  bus     = local.bus
  kms     = local.kms
  outputs = jsonencode(local.outputs)
}

module "event_bus" {
  source = "./modules/event-bus"

  platform = local.platform
  speakers = { for event in values(merge(local.services[*].emits...)) : event.source => event.role_name... }
}

module "image_pipeline" {
  source = "./modules/image-pipeline"
  count  = contains(var.capabilities, "images") ? 1 : 0

  platform = local.platform
  bus      = local.bus
  profile  = var.images.profile
  function = var.images.function
}

module "telemetry" {
  source = "./modules/telemetry"
  count  = contains(var.capabilities, "telemetry") ? 1 : 0

  platform      = local.platform
  bus           = local.bus
  stream        = var.telemetry.stream
  ingest        = var.telemetry.ingest
  limits        = var.telemetry.limits
  device_types  = var.telemetry.device_types
  sweep_minutes = var.telemetry.sweep_minutes
  raw           = var.telemetry.raw
  iot           = var.telemetry.iot
  silence       = var.telemetry.silence
}

# The API, in front of every service that has routes.

locals {
  api_routes = merge(concat(
    module.catalog[*].routes,
    module.basket[*].routes,
    module.ordering[*].routes,
    module.inventory[*].routes,
    module.sandbox_gateway[*].routes,
    module.telemetry[*].routes,
  )...)
  api_url = (
    var.api.address == null
    ? one(module.http_api[*].api_url)
    : format(var.api.address, one(module.http_api[*].api_id))
  )
}

module "http_api" {
  source = "./modules/http-api"
  count  = length(setintersection(var.capabilities, ["shop", "telemetry"])) > 0 ? 1 : 0

  platform = local.platform
  routes   = local.api_routes
  issuer   = var.api.issuer
  users    = var.api.users
  cors     = var.api.cors
  domain   = var.api.domain
}

# The shop: services that meet on the bus.

locals {
  shop    = contains(var.capabilities, "shop") ? 1 : 0
  sandbox = local.shop == 1 && var.shop.sandbox != null ? 1 : 0

  gateway = local.sandbox == 0 ? var.shop.gateway : {
    url        = "${local.api_url}${module.sandbox_gateway[0].path}"
    secret_arn = module.sandbox_gateway[0].secret_arn
  }
}

module "catalog" {
  source = "./modules/catalog"
  count  = local.shop

  platform = local.platform
  bus      = local.bus
}

module "basket" {
  source = "./modules/basket"
  count  = local.shop

  platform = local.platform
  bus      = local.bus
}

module "ordering" {
  source = "./modules/ordering"
  count  = local.shop

  platform = local.platform
  bus      = local.bus
  time_out = var.shop.time_out
}

module "inventory" {
  source = "./modules/inventory"
  count  = local.shop

  platform = local.platform
  bus      = local.bus
}

module "fraud" {
  source = "./modules/fraud"
  count  = local.shop

  platform = local.platform
  bus      = local.bus
  ruleset  = var.shop.ruleset
}

module "payment" {
  source = "./modules/payment"
  count  = local.shop

  platform = local.platform
  bus      = local.bus
  gateway  = local.gateway
}

module "sandbox_gateway" {
  source = "./modules/sandbox-gateway"
  count  = local.sandbox

  platform = local.platform
  faults   = var.shop.sandbox
}

module "notification" {
  source = "./modules/notification"
  count  = local.shop

  platform = local.platform
  bus      = local.bus
  sender   = var.shop.sender
}
