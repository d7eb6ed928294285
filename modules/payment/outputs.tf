output "payments_table" {
  description = "The table that holds the payments."
  value       = module.payments.name
}

output "functions" {
  description = "The service's functions by short name."
  value = {
    take-payment = {
      name            = module.take_payment.name
      arn             = module.take_payment.arn
      timeout_seconds = module.take_payment.timeout_seconds
      log_group_name  = module.take_payment.log_group_name
    }
    payments-publisher = module.payments.publisher
  }
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    take-payment = {
      name = module.take_payment_inbox.name
      url  = module.take_payment_inbox.url
      arn  = module.take_payment_inbox.arn
    }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value       = { take-payment = module.take_payment_inbox.dead_letter_queue }
}

output "routes" {
  description = "The HTTP routes the service answers: none."
  value       = {}
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.payments.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type."
  value       = { for type in local.consumed : type => { source = "millrace.ordering", inbox = "take-payment" } }
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.payments.streams
}
