output "name" {
  description = "The table's full name."
  value       = aws_dynamodb_table.this.name

  # Functions are told the name: the publisher knows a new type of event before any of them writes one.
  depends_on = [module.publisher]
}

output "arn" {
  description = "The table's ARN."
  value       = aws_dynamodb_table.this.arn
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

output "emits" {
  description = "The event types that the table's service publishes, by type: their source, the role that alone speaks as it, and the table. In the shape of a service module's `emits`."
  value = {
    for type, event in var.emits : type => {
      source    = event.source
      role_name = module.publisher[0].role_name
      table     = aws_dynamodb_table.this.name
    }
  }
}

output "streams" {
  description = "Who reads the table's stream, by the short name of the function, in the shape of a service module's `streams`; empty for a table that holds no events."
  value = {
    for consumer in concat(module.publisher_stream, module.projection_stream) :
    trimprefix(consumer.stream.function, "${var.platform.prefix}-") => consumer.stream
  }
}

output "policies" {
  description = "Policy documents by the names in `access`, each to pass on to its function."
  value       = { for function, document in data.aws_iam_policy_document.access : function => document.json }
}
