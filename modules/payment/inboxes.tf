# Approvals and cancellations come in by one queue.

locals {
  consumed = ["order.approved.v1", "order.cancelled.v1"]
}

module "take_payment_inbox" {
  source = "../inbox"

  name     = "take-payment"
  platform = var.platform
  function = module.take_payment

  subscriptions = {
    orders = {
      bus_name = var.bus.name
      pattern  = jsonencode({ source = ["millrace.ordering"], detail-type = local.consumed })
    }
  }

  batch = {
    size            = 1 # a slow gateway must not run out the time of nine other payments
    max_concurrency = var.function.max_concurrency
  }
}
