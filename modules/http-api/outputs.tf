output "api_url" {
  description = "Where the API answers, without a trailing slash."
  value       = var.domain == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain.name}"
}

output "api_id" {
  description = "The API's id, which its metrics and access log bear."
  value       = aws_apigatewayv2_api.this.id
}

output "issuer" {
  description = "Whose tokens are trusted."
  value       = local.issuer_url
}

output "audience" {
  description = "The audiences, of which a token names at least one."
  value       = local.audience
}

output "user_pool_id" {
  description = "The own user pool; null with an issuer given."
  value       = one(aws_cognito_user_pool.this[*].id)
}

output "client_id" {
  description = "The user pool's app client, which sign-in pages use; null with an issuer given."
  value       = one(aws_cognito_user_pool_client.this[*].id)
}

output "domain_target" {
  description = "What the domain's DNS record points at (an alias, with its zone); null without a domain."
  value = one([
    for domain in aws_apigatewayv2_domain_name.this : {
      name    = one(domain.domain_name_configuration[*].target_domain_name)
      zone_id = one(domain.domain_name_configuration[*].hosted_zone_id)
    }
  ])
}

output "functions" {
  description = "The API's own functions by short name."
  value = {
    for name, function in merge({ api-docs = module.api_docs }, { for it in module.grant_scopes : "grant-scopes" => it }) :
    name => {
      name            = function.name
      arn             = function.arn
      timeout_seconds = function.timeout_seconds
      log_group_name  = function.log_group_name
    }
  }
}

output "routes" {
  description = "Every route of the API by its key: the full name of its function, its scope, and whether it is public."
  value = {
    for key, route in local.routes :
    key => { function_name = route.function_name, scope = route.scope, public = route.public }
  }
}

output "alarms" {
  description = "The names of the API's own alarms."
  value = {
    server-errors = aws_cloudwatch_metric_alarm.server_errors.alarm_name
    latency       = aws_cloudwatch_metric_alarm.latency.alarm_name
  }
}

output "access_log_name" {
  description = "The log group that holds a line per request."
  value       = aws_cloudwatch_log_group.access.name
}
