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
