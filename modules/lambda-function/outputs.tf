output "name" {
  description = "The function's full name."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "The function's ARN, without a version."
  value       = aws_lambda_function.this.arn
}

output "role_name" {
  description = "The role's name: a trigger attaches its own permission to read to it."
  value       = aws_iam_role.this.name
}

output "role_arn" {
  description = "The role's ARN."
  value       = aws_iam_role.this.arn
}

output "timeout_seconds" {
  description = "The function's timeout, which sizes the visibility of a queue in front of it."
  value       = var.resources.timeout_seconds
}

output "log_group_name" {
  description = "Where the function's JSON log lines go."
  value       = aws_cloudwatch_log_group.this.name
}
