# What there is to watch, from the services' outputs: a new service needs no line here.

locals {
  prefix = var.stack.prefix
  here   = "--environment ${var.stack.environment}" # every command in an alarm's text can be pasted as it stands

  functions = merge([
    for service, it in var.services : { for short, function in it.functions : short => merge(function, { service = service }) }
  ]...)
  inboxes = merge([
    for service, it in var.services : { for short, inbox in it.inboxes : short => merge(inbox, { service = service }) }
  ]...)
  streams = merge([
    for service, it in var.services : { for short, stream in it.streams : short => merge(stream, { service = service }) }
  ]...)
  dead_letter_queues = merge([
    for service, it in var.services : { for short, queue in it.dead_letter_queues : short => merge(queue, { service = service }) }
  ]...)

  # Functions that answer the API, by their full names.
  answering = toset(flatten([for it in values(var.services) : [for route in values(it.routes) : route.function_name]]))

  answering_on_aws = { for short, function in local.on_aws.functions : short => function if contains(local.answering, function.name) }

  # A local AWS sends none of the metrics behind these alarms.
  on_aws = {
    functions = { for short, function in local.functions : short => function if var.aws_only_features }
    inboxes   = { for short, inbox in local.inboxes : short => inbox if var.aws_only_features }
    services  = { for service, it in var.services : service => it if var.aws_only_features }
    api       = { for name, api in { api = var.api } : name => api if var.aws_only_features && api != null }
  }
}
