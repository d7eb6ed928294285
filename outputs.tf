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
}

output "prefix" {
  description = "The start of every name."
  value       = local.prefix
}

output "region" {
  description = "The region everything is in."
  value       = var.account.region
}

output "uploads_bucket" {
  description = "Where to put pictures; null without the capability \"images\"."
  value       = one(module.image_pipeline[*].uploads_bucket)
}

output "renditions_bucket" {
  description = "Where the renditions appear; null without the capability \"images\"."
  value       = one(module.image_pipeline[*].renditions_bucket)
}

output "images_table" {
  description = "The table of manifests; null without the capability \"images\"."
  value       = one(module.image_pipeline[*].images_table)
}

output "bus_name" {
  description = "The bus that domain events ride."
  value       = module.event_bus.bus_name
}

output "archive_name" {
  description = "The archive to replay events from."
  value       = module.event_bus.archive_name
}

output "quarantine_bucket" {
  description = "The bucket that keeps what could not be worked on, with its reason."
  value       = module.event_bus.quarantine_name
}

output "functions" {
  description = "Full names of the functions by short name."
  value       = { for name, function in merge(concat(local.services[*].functions, module.http_api[*].functions)...) : name => function.name }
}

output "inboxes" {
  description = "URLs of the queues by short name."
  value       = { for name, inbox in merge(local.services[*].inboxes...) : name => inbox.url }
}

output "dead_letter_queues" {
  description = "URLs of the dead-letter queues by the short name of their inbox."
  value       = { for name, queue in merge(local.services[*].dead_letter_queues...) : name => queue.url }
}

output "api_url" {
  description = "Where the HTTP API answers, without a trailing slash; null without an API."
  value       = one(module.http_api[*].api_url)
}

output "api_id" {
  description = "The HTTP API's id; null without an API."
  value       = one(module.http_api[*].api_id)
}

output "issuer" {
  description = "Whose tokens the HTTP API trusts; null without an API."
  value       = one(module.http_api[*].issuer)
}

output "user_pool_id" {
  description = "The HTTP API's own user pool; null with an issuer given."
  value       = one(module.http_api[*].user_pool_id)
}

output "client_id" {
  description = "The user pool's app client; null with an issuer given."
  value       = one(module.http_api[*].client_id)
}

output "gateway_secret_arn" {
  description = "The secret that holds the payment gateway's API key; null without the capability \"shop\"."
  value       = local.shop == 1 ? local.gateway.secret_arn : null
}

output "orders_table" {
  description = "The event store of the orders; null without the capability \"shop\"."
  value       = one(module.ordering[*].orders_table)
}

output "orders_views" {
  description = "The tables of the orders' read side, of which one is live; null without the capability \"shop\"."
  value       = one(module.ordering[*].orders_views)
}

output "audience" {
  description = "The audiences of which a token names at least one; null without an API."
  value       = one(module.http_api[*].audience)
}

output "routes" {
  description = "What the HTTP API answers, by route key; empty without an API."
  value       = merge(module.http_api[*].routes...)
}

output "telemetry_stream" {
  description = "The stream that devices write to; null without the capability \"telemetry\"."
  value       = one(module.telemetry[*].stream_name)
}

output "telemetry_table" {
  description = "The table of devices, rollups and anomalies; null without the capability \"telemetry\"."
  value       = one(module.telemetry[*].table)
}

output "telemetry_raw_bucket" {
  description = "Where the raw telemetry is, in files by date and hour; null without the capability \"telemetry\"."
  value       = one(module.telemetry[*].raw_bucket)
}

output "device_types_parameter" {
  description = "The parameter that says what is normal for which type of device; null without the capability \"telemetry\"."
  value       = one(module.telemetry[*].parameter)
}

output "events" {
  description = "Each event type's source, and the inboxes that read it, by type."
  value = {
    for type, event in merge(local.services[*].emits...) : type => {
      source = event.source
      inboxes = sort([
        for consumed in local.services[*].consumes : consumed[type].inbox if contains(keys(consumed), type)
      ])
    }
  }
}
