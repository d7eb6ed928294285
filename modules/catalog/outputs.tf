output "products_table" {
  description = "The table that holds the products."
  value       = module.products.name
}

output "functions" {
  description = "The service's functions by short name."
  value = {
    catalog-api = {
      name            = module.catalog_api.name
      arn             = module.catalog_api.arn
      timeout_seconds = module.catalog_api.timeout_seconds
      log_group_name  = module.catalog_api.log_group_name
    }
    products-publisher = module.products.publisher
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
  description = "The HTTP routes the service answers, by route key: everybody may read, a token with the scope may write."
  value = {
    for route, scope in {
      "GET /products"                 = null
      "GET /products/{product_id}"    = null
      "POST /products"                = "millrace/catalog.write"
      "PUT /products/{product_id}"    = "millrace/catalog.write"
      "DELETE /products/{product_id}" = "millrace/catalog.write"
      } : route => {
      function_name = module.catalog_api.name
      function_arn  = module.catalog_api.arn
      scope         = scope
      public        = scope == null
    }
  }
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.products.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type: none."
  value       = {}
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.products.streams
}
