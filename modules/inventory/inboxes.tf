# One inbox for everything that moves stock.

locals {
  news = {
    ordering = ["order.placed.v1", "order.cancelled.v1"]
    catalog  = ["product.created.v1"]
  }
}

module "reserve_stock_inbox" {
  source = "../inbox"

  name     = "reserve-stock"
  platform = var.platform
  function = module.reserve_stock

  subscriptions = {
    for service, types in local.news : service => {
      bus_name = var.bus.name
      pattern  = jsonencode({ source = ["millrace.${service}"], detail-type = types })
    }
  }

  # Orders for one product meet in one item of the table. More of them at once would only make more transactions collide.
  batch = { max_concurrency = var.function.reserve_concurrency }
}
