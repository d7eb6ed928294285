locals {
  # Every service module has the same shape of outputs: a new one joins its capability here and is seen everywhere.
  by_capability = {
    images = {
      image-pipeline = module.image_pipeline
    }
    shop = {
      catalog         = module.catalog
      basket          = module.basket
      ordering        = module.ordering
      inventory       = module.inventory
      fraud           = module.fraud
      payment         = module.payment
      sandbox-gateway = module.sandbox_gateway
      notification    = module.notification
    }
    telemetry = {
      telemetry = module.telemetry
    }
  }
  services = flatten([for services in values(local.by_capability) : values(services)])

  # What people and tools read: each is an output below, and all of them are in the parameter that the command line reads.
  outputs = {
    prefix                 = local.prefix
    region                 = var.account.region
    uploads_bucket         = one(module.image_pipeline[*].uploads_bucket)
    renditions_bucket      = one(module.image_pipeline[*].renditions_bucket)
    images_table           = one(module.image_pipeline[*].images_table)
    bus_name               = module.event_bus.bus_name
    archive_name           = module.event_bus.archive_name
    quarantine_bucket      = module.event_bus.quarantine_name
    functions              = { for name, function in merge(concat(local.services[*].functions, module.http_api[*].functions)...) : name => function.name }
    inboxes                = { for name, inbox in merge(local.services[*].inboxes...) : name => inbox.url }
    dead_letter_queues     = { for name, queue in merge(local.services[*].dead_letter_queues...) : name => queue.url }
    api_url                = one(module.http_api[*].api_url)
    api_id                 = one(module.http_api[*].api_id)
    issuer                 = one(module.http_api[*].issuer)
    user_pool_id           = one(module.http_api[*].user_pool_id)
    client_id              = one(module.http_api[*].client_id)
    gateway_secret_arn     = local.shop == 1 ? local.gateway.secret_arn : null
    orders_table           = one(module.ordering[*].orders_table)
    orders_views           = one(module.ordering[*].orders_views)
    audience               = one(module.http_api[*].audience)
    routes                 = merge(module.http_api[*].routes...)
    telemetry_stream       = one(module.telemetry[*].stream_name)
    telemetry_table        = one(module.telemetry[*].table)
    telemetry_raw_bucket   = one(module.telemetry[*].raw_bucket)
    device_types_parameter = one(module.telemetry[*].parameter)
    events = {
      for type, event in merge(local.services[*].emits...) : type => {
        source = event.source
        inboxes = sort([
          for consumed in local.services[*].consumes : consumed[type].inbox if contains(keys(consumed), type)
        ])
      }
    }
    outboxes = { for table, sources in local.sources_by_table : table => one(distinct(sources)) }
  }

  sources_by_table = { for event in values(merge(local.services[*].emits...)) : event.table => event.source... }
}

output "prefix" {
  description = "The start of every name."
  value       = local.outputs.prefix
}

output "region" {
  description = "The region everything is in."
  value       = local.outputs.region
}

output "uploads_bucket" {
  description = "Where to put pictures; null without the capability \"images\"."
  value       = local.outputs.uploads_bucket
}

output "renditions_bucket" {
  description = "Where the renditions appear; null without the capability \"images\"."
  value       = local.outputs.renditions_bucket
}

output "images_table" {
  description = "The table of manifests; null without the capability \"images\"."
  value       = local.outputs.images_table
}

output "bus_name" {
  description = "The bus that domain events ride."
  value       = local.outputs.bus_name
}

output "archive_name" {
  description = "The archive to replay events from."
  value       = local.outputs.archive_name
}

output "quarantine_bucket" {
  description = "The bucket that keeps what could not be worked on, with its reason."
  value       = local.outputs.quarantine_bucket
}

output "functions" {
  description = "Full names of the functions by short name."
  value       = local.outputs.functions
}

output "inboxes" {
  description = "URLs of the queues by short name."
  value       = local.outputs.inboxes
}

output "dead_letter_queues" {
  description = "URLs of the dead-letter queues by the short name of their inbox."
  value       = local.outputs.dead_letter_queues
}

output "api_url" {
  description = "Where the HTTP API answers, without a trailing slash; null without an API."
  value       = local.outputs.api_url
}

output "api_id" {
  description = "The HTTP API's id; null without an API."
  value       = local.outputs.api_id
}

output "issuer" {
  description = "Whose tokens the HTTP API trusts; null without an API."
  value       = local.outputs.issuer
}

output "user_pool_id" {
  description = "The HTTP API's own user pool; null with an issuer given."
  value       = local.outputs.user_pool_id
}

output "client_id" {
  description = "The user pool's app client; null with an issuer given."
  value       = local.outputs.client_id
}

output "gateway_secret_arn" {
  description = "The secret that holds the payment gateway's API key; null without the capability \"shop\"."
  value       = local.outputs.gateway_secret_arn
}

output "orders_table" {
  description = "The event store of the orders; null without the capability \"shop\"."
  value       = local.outputs.orders_table
}

output "orders_views" {
  description = "The tables of the orders' read side, of which one is live; null without the capability \"shop\"."
  value       = local.outputs.orders_views
}

output "audience" {
  description = "The audiences of which a token names at least one; null without an API."
  value       = local.outputs.audience
}

output "routes" {
  description = "What the HTTP API answers, by route key; empty without an API."
  value       = local.outputs.routes
}

output "telemetry_stream" {
  description = "The stream that devices write to; null without the capability \"telemetry\"."
  value       = local.outputs.telemetry_stream
}

output "telemetry_table" {
  description = "The table of devices, rollups and anomalies; null without the capability \"telemetry\"."
  value       = local.outputs.telemetry_table
}

output "telemetry_raw_bucket" {
  description = "Where the raw telemetry is, in files by date and hour; null without the capability \"telemetry\"."
  value       = local.outputs.telemetry_raw_bucket
}

output "device_types_parameter" {
  description = "The parameter that says what is normal for which type of device; null without the capability \"telemetry\"."
  value       = local.outputs.device_types_parameter
}

output "events" {
  description = "Each event type's source, and the inboxes that read it, by type."
  value       = local.outputs.events
}

output "outboxes" {
  description = "The source that each table of events speaks as, by the table's full name."
  value       = local.outputs.outboxes
}

output "operator_policy_arn" {
  description = "The policy that lets people look after the environment: attach it to their role."
  value       = module.operations.policy_arn
}
