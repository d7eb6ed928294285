output "parameter" {
  description = "The parameter in which the command line finds the environment."
  value       = aws_ssm_parameter.outputs.name
}

output "policy_arn" {
  description = "The policy that lets people look after the environment: attach it to their role."
  value       = aws_iam_policy.operate.arn
}
