# What root says, passed on for people and tools.

output "prefix" {
  description = "The start of every name."
  value       = module.millrace.prefix
}

output "region" {
  description = "The region everything is in."
  value       = module.millrace.region
}

output "uploads_bucket" {
  description = "Where to put pictures; null without the capability \"images\"."
  value       = module.millrace.uploads_bucket
}

output "renditions_bucket" {
  description = "Where the renditions appear; null without the capability \"images\"."
  value       = module.millrace.renditions_bucket
}

output "images_table" {
  description = "The table of manifests; null without the capability \"images\"."
  value       = module.millrace.images_table
}

output "bus_name" {
  description = "The bus that domain events ride."
  value       = module.millrace.bus_name
}

output "archive_name" {
  description = "The archive to replay events from."
  value       = module.millrace.archive_name
}

output "quarantine_bucket" {
  description = "The bucket that keeps what could not be worked on, with its reason."
  value       = module.millrace.quarantine_bucket
}

output "functions" {
  description = "Full names of the functions by short name."
  value       = module.millrace.functions
}

output "inboxes" {
  description = "URLs of the queues by short name."
  value       = module.millrace.inboxes
}

output "dead_letter_queues" {
  description = "URLs of the dead-letter queues by the short name of their inbox."
  value       = module.millrace.dead_letter_queues
}

output "api_url" {
  description = "Where the HTTP API answers, without a trailing slash; null without an API."
  value       = module.millrace.api_url
}

output "api_id" {
  description = "The HTTP API's id; null without an API."
  value       = module.millrace.api_id
}

output "issuer" {
  description = "Whose tokens the HTTP API trusts; null without an API."
  value       = module.millrace.issuer
}

output "user_pool_id" {
  description = "The HTTP API's own user pool; null with an issuer given."
  value       = module.millrace.user_pool_id
}

output "client_id" {
  description = "The user pool's app client; null with an issuer given."
  value       = module.millrace.client_id
}

output "gateway_secret_arn" {
  description = "The secret that holds the payment gateway's API key; null without the capability \"shop\"."
  value       = module.millrace.gateway_secret_arn
}

output "orders_table" {
  description = "The event store of the orders; null without the capability \"shop\"."
  value       = module.millrace.orders_table
}

output "orders_views" {
  description = "The tables of the orders' read side, of which one is live; null without the capability \"shop\"."
  value       = module.millrace.orders_views
}

output "audience" {
  description = "The audiences of which a token names at least one; null without an API."
  value       = module.millrace.audience
}

output "routes" {
  description = "What the HTTP API answers, by route key; empty without an API."
  value       = module.millrace.routes
}

output "telemetry_stream" {
  description = "The stream that devices write to; null without the capability \"telemetry\"."
  value       = module.millrace.telemetry_stream
}

output "telemetry_table" {
  description = "The table of devices, rollups and anomalies; null without the capability \"telemetry\"."
  value       = module.millrace.telemetry_table
}

output "telemetry_raw_bucket" {
  description = "Where the raw telemetry is, in files by date and hour; null without the capability \"telemetry\"."
  value       = module.millrace.telemetry_raw_bucket
}

output "device_types_parameter" {
  description = "The parameter that says what is normal for which type of device; null without the capability \"telemetry\"."
  value       = module.millrace.device_types_parameter
}

output "events" {
  description = "Each event type's source, and the inboxes that read it, by type."
  value       = module.millrace.events
}

output "outboxes" {
  description = "The source that each table of events speaks as, by the table's full name."
  value       = module.millrace.outboxes
}

output "operator_policy_arn" {
  description = "The policy that lets people look after the environment: attach it to their role."
  value       = module.millrace.operator_policy_arn
}
