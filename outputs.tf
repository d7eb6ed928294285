locals {
  # Every service module has the same shape of outputs: a new one joins this list and is seen everywhere.
  services = concat(module.image_pipeline)
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

output "functions" {
  description = "Full names of the functions by short name."
  value       = { for name, function in merge(local.services[*].functions...) : name => function.name }
}

output "inboxes" {
  description = "URLs of the queues by short name."
  value       = { for name, inbox in merge(local.services[*].inboxes...) : name => inbox.url }
}

output "dead_letter_queues" {
  description = "URLs of the dead-letter queues by the short name of their inbox."
  value       = { for name, queue in merge(local.services[*].dead_letter_queues...) : name => queue.url }
}
