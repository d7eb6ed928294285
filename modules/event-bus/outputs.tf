output "bus_name" {
  description = "The bus's name."
  value       = aws_cloudwatch_event_bus.this.name
}

output "bus_arn" {
  description = "The bus's ARN."
  value       = local.bus_arn
}

output "archive_name" {
  description = "The archive to replay from."
  value       = aws_cloudwatch_event_archive.this.name
}

output "quarantine_name" {
  description = "The bucket that keeps what stream consumers could not process."
  value       = module.quarantine.name
}

output "registry_name" {
  description = "The schema registry; null where there is none."
  value       = one(aws_schemas_registry.this[*].name)
}
