output "name" {
  description = "The table's full name."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "The table's ARN."
  value       = aws_dynamodb_table.this.arn
}

output "stream_arn" {
  description = "The ARN of the table's stream, for a projection of the service's own events; null for a table that holds none."
  value       = local.holds_events ? aws_dynamodb_table.this.stream_arn : null
}

output "publisher" {
  description = "The publisher function, in the shape of a service module's `functions`; null for a table that holds no events."
  value = one([for publisher in module.publisher : {
    name            = publisher.name
    arn             = publisher.arn
    timeout_seconds = publisher.timeout_seconds
    log_group_name  = publisher.log_group_name
  }])
}

output "policies" {
  description = "Policy documents to pass on to functions: `read` items and indexes, `write` items and transactions, and for a projection `read_stream` and `keep_quarantine` (null for a table that holds no events)."
  value = {
    read            = data.aws_iam_policy_document.read_table.json
    write           = data.aws_iam_policy_document.write_table.json
    read_stream     = one(data.aws_iam_policy_document.read_stream[*].json)
    keep_quarantine = one(data.aws_iam_policy_document.keep_quarantine[*].json)
  }
}
