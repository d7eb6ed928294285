output "terraform_state_bucket" {
  description = "The bucket to name in the environment's backend.tf."
  value       = module.terraform_state.name
}

output "artifacts_bucket" {
  description = "The bucket to name in the environment's main.tf."
  value       = module.artifacts.name
}
