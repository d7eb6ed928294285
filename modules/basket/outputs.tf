output "baskets_table" {
  description = "The table that holds the baskets and the replica of the catalog."
  value       = module.baskets.name
}

output "functions" {
  description = "The service's functions by short name."
  value = merge(
    {
      for name, function in {
        basket-api        = module.basket_api
        replicate-product = module.replicate_product
        sweep-baskets     = module.sweep_baskets
        } : name => {
        name            = function.name
        arn             = function.arn
        timeout_seconds = function.timeout_seconds
        log_group_name  = function.log_group_name
      }
    },
    { baskets-publisher = module.baskets.publisher },
  )
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    for name, inbox in { replicate-product = module.replicate_product_inbox, sweep-baskets = module.sweep_baskets_inbox } :
    name => { name = inbox.name, url = inbox.url, arn = inbox.arn }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value = {
    replicate-product = module.replicate_product_inbox.dead_letter_queue
    sweep-baskets     = module.sweep_baskets_inbox.dead_letter_queue
  }
}

output "routes" {
  description = "The HTTP routes the service answers, by route key: any valid token, and each its own basket."
  value = {
    for route in [
      "GET /basket",
      "PUT /basket/items/{product_id}",
      "DELETE /basket/items/{product_id}",
      "DELETE /basket",
      "POST /basket/checkout",
      ] : route => {
      function_name = module.basket_api.name
      function_arn  = module.basket_api.arn
      scope         = null
      public        = false
    }
  }
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.baskets.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type."
  value = {
    for type in local.news : type => { source = "millrace.catalog", inbox = "replicate-product" }
  }
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.baskets.streams
}
