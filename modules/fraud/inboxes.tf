# One inbox for orders to judge and for declines to remember.

locals {
  news = {
    ordering = ["order.placed.v1"]
    payment  = ["payment.declined.v1", "payment.declined.v2"]
  }
}

module "assess_order_inbox" {
  source = "../inbox"

  name     = "assess-order"
  platform = var.platform
  function = module.assess_order

  subscriptions = {
    for service, types in local.news : service => {
      bus_name = var.bus.name
      pattern  = jsonencode({ source = ["millrace.${service}"], detail-type = types })
    }
  }

  batch = { max_concurrency = var.function.max_concurrency }
}
