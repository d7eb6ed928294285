output "path" {
  description = "Where on the API the gateway answers: the payment service's gateway URL is the API's URL with this path."
  value       = "/sandbox"
}

output "secret_arn" {
  description = "The secret that holds the sandbox's API key, for the payment service."
  value       = aws_secretsmanager_secret_version.api_key.arn # known only when the key is in it
}

output "functions" {
  description = "The service's functions by short name."
  value = {
    sandbox-gateway = {
      name            = module.sandbox_gateway.name
      arn             = module.sandbox_gateway.arn
      timeout_seconds = module.sandbox_gateway.timeout_seconds
      log_group_name  = module.sandbox_gateway.log_group_name
    }
  }
}

output "inboxes" {
  description = "The service's queues by short name: none."
  value       = {}
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox: none."
  value       = {}
}

output "routes" {
  description = "The HTTP routes the service answers, by route key: public of a token, for the function asks for its API key."
  value = {
    for route in [
      "POST /sandbox/payments",
      "POST /sandbox/cancellations",
      "POST /sandbox/refunds",
      "GET /sandbox/ledger",
      "GET /sandbox/ledger/{order_id}",
      ] : route => {
      function_name = module.sandbox_gateway.name
      function_arn  = module.sandbox_gateway.arn
      scope         = null
      public        = true
    }
  }
}

output "emits" {
  description = "The event types the service publishes, by type: none."
  value       = {}
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type: none."
  value       = {}
}

output "streams" {
  description = "The streams that functions of the service read: none."
  value       = {}
}
