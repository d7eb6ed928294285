# News of products come in by a rule on the bus, the time to sweep by a schedule.

locals {
  news = ["product.created.v1", "product.updated.v1", "product.deleted.v1"]
}

module "replicate_product_inbox" {
  source = "../inbox"

  name     = "replicate-product"
  platform = var.platform
  function = module.replicate_product

  subscriptions = {
    catalog = {
      bus_name = var.bus.name
      pattern  = jsonencode({ source = ["millrace.catalog"], detail-type = local.news })
    }
  }

  batch = { max_concurrency = var.function.replicate_concurrency }
}

module "sweep_baskets_inbox" {
  source = "../inbox"

  name     = "sweep-baskets"
  platform = var.platform
  function = module.sweep_baskets

  schedules = {
    sweep-baskets = {
      event       = "basket-sweep.due"
      minutes     = var.abandonment.sweep_minutes
      description = "Asks for baskets that nobody touched for a while to be announced."
    }
  }

  batch = { size = 1, max_concurrency = 2 }
}
