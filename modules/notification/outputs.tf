output "notifications_table" {
  description = "The table that holds the ledger of e-mails."
  value       = module.notifications.name
}

output "dkim_tokens" {
  description = "The DKIM tokens of a domain registered here: for each a DNS record <token>._domainkey.<domain>, CNAME <token>.dkim.amazonses.com."
  value       = flatten(aws_sesv2_email_identity.domain[*].dkim_signing_attributes[*].tokens)
}

output "functions" {
  description = "The service's functions by short name."
  value = {
    notify = {
      name            = module.notify.name
      arn             = module.notify.arn
      timeout_seconds = module.notify.timeout_seconds
      log_group_name  = module.notify.log_group_name
    }
    notifications-publisher = module.notifications.publisher
  }
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    notify = {
      name = module.notify_inbox.name
      url  = module.notify_inbox.url
      arn  = module.notify_inbox.arn
    }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value       = { notify = module.notify_inbox.dead_letter_queue }
}

output "routes" {
  description = "The HTTP routes the service answers: none."
  value       = {}
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.notifications.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type."
  value       = { for type in local.consumed : type => { source = "millrace.ordering", inbox = "notify" } }
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.notifications.streams
}
