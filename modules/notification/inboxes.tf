# The ends of orders come in by one queue.

locals {
  consumed = ["order.confirmed.v1", "order.cancelled.v1"]
}

module "notify_inbox" {
  source = "../inbox"

  name     = "notify"
  platform = var.platform
  function = module.notify

  subscriptions = {
    orders = {
      bus_name = var.bus.name
      pattern  = jsonencode({ source = ["millrace.ordering"], detail-type = local.consumed })
    }
  }

  batch = {
    size            = 1 # a crash leaves the outcome of one e-mail open, not of ten
    max_concurrency = var.function.max_concurrency
  }
}
