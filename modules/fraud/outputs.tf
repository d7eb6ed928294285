output "assessments_table" {
  description = "The table that holds the assessments."
  value       = module.assessments.name
}

output "functions" {
  description = "The service's functions by short name."
  value = {
    assess-order = {
      name            = module.assess_order.name
      arn             = module.assess_order.arn
      timeout_seconds = module.assess_order.timeout_seconds
      log_group_name  = module.assess_order.log_group_name
    }
    assessments-publisher = module.assessments.publisher
  }
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    assess-order = {
      name = module.assess_order_inbox.name
      url  = module.assess_order_inbox.url
      arn  = module.assess_order_inbox.arn
    }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value       = { assess-order = module.assess_order_inbox.dead_letter_queue }
}

output "routes" {
  description = "The HTTP routes the service answers: none."
  value       = {}
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.assessments.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type."
  value = merge([
    for service, types in local.news : {
      for type in types : type => { source = "millrace.${service}", inbox = "assess-order" }
    }
  ]...)
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.assessments.streams
}
