output "orders_table" {
  description = "The table of events: the orders themselves."
  value       = module.orders.name
}

output "orders_views" {
  description = "The two tables of the read side by their short names; a pointer in the orders table says which one is live."
  value       = { for name, view in module.orders_view : name => view.name }
}

output "functions" {
  description = "The service's functions by short name."
  value = merge(
    {
      for name, function in {
        advance-order  = module.advance_order
        sweep-orders   = module.sweep_orders
        project-orders = module.project_orders
        ordering-api   = module.ordering_api
        } : name => {
        name            = function.name
        arn             = function.arn
        timeout_seconds = function.timeout_seconds
        log_group_name  = function.log_group_name
      }
    },
    { orders-publisher = module.orders.publisher },
  )
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    for name, inbox in { advance-order = module.advance_order_inbox, sweep-orders = module.sweep_orders_inbox } :
    name => { name = inbox.name, url = inbox.url, arn = inbox.arn }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value = {
    advance-order = module.advance_order_inbox.dead_letter_queue
    sweep-orders  = module.sweep_orders_inbox.dead_letter_queue
  }
}

output "routes" {
  description = "The HTTP routes the service answers, by route key; who may see which order is decided per order."
  value = {
    for route in ["GET /orders", "GET /orders/{order_id}", "GET /orders/{order_id}/events"] : route => {
      function_name = module.ordering_api.name
      function_arn  = module.ordering_api.arn
      scope         = null
      public        = false
    }
  }
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.orders.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type."
  value = merge([
    for service, types in local.facts : {
      for type in types : type => { source = "millrace.${service}", inbox = "advance-order" }
    }
  ]...)
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.orders.streams
}

output "alarms" {
  description = "The names of the alarms that the service makes itself, beside those of its blocks."
  value       = { orders-broken = aws_cloudwatch_metric_alarm.broken.alarm_name }
}
