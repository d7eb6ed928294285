output "name" {
  description = "The bucket's full name."
  value       = aws_s3_bucket.this.bucket
}

output "arn" {
  description = "The bucket's ARN."
  value       = local.arn
}

output "policies" {
  description = "Policy documents to pass on to functions: `read` its objects, `write` objects to it."
  value = {
    read  = data.aws_iam_policy_document.read_objects.json
    write = data.aws_iam_policy_document.write_objects.json
  }
}
