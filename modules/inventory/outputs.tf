output "stock_table" {
  description = "The table that holds stock, its ledger and the reservations."
  value       = module.stock.name
}

output "functions" {
  description = "The service's functions by short name."
  value = merge(
    {
      for name, function in { reserve-stock = module.reserve_stock, inventory-api = module.inventory_api } : name => {
        name                                = function.name
        arn                                 = function.arn
        timeout_seconds                     = function.timeout_seconds
        log_group_name                      = function.log_group_name
      }
    },
    { stock-publisher = module.stock.publisher },
  )
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    reserve-stock = {
      name = module.reserve_stock_inbox.name
      url  = module.reserve_stock_inbox.url
      arn  = module.reserve_stock_inbox.arn
    }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value       = { reserve-stock = module.reserve_stock_inbox.dead_letter_queue }
}

output "routes" {
  description = "The HTTP routes the service answers, by route key: for administrators only."
  value = {
    for route in ["GET /stock/{product_id}", "PUT /stock/{product_id}"] : route => {
      function_name = module.inventory_api.name
      function_arn  = module.inventory_api.arn
      scope         = "millrace/stock.write"
      public        = false
    }
  }
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.stock.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type."
  value = merge([
    for service, types in local.news : {
      for type in types : type => { source = "millrace.${service}", inbox = "reserve-stock" }
    }
  ]...)
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.stock.streams
}
