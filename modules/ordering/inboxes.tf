# Facts of other services come in by rules on the bus, time-outs by a schedule.

locals {
  facts = {
    basket    = ["basket.checked_out.v1"]
    inventory = ["stock.reserved.v1", "stock.rejected.v1"]
    fraud     = ["fraud.cleared.v1", "fraud.flagged.v1"]
    payment   = ["payment.captured.v1", "payment.declined.v1", "payment.declined.v2"]
  }
}

module "advance_order_inbox" {
  source = "../inbox"

  name     = "advance-order"
  platform = var.platform
  function = module.advance_order

  subscriptions = {
    for service, types in local.facts : service => {
      bus_name = var.bus.name
      pattern  = jsonencode({ source = ["millrace.${service}"], detail-type = types })
    }
  }

  batch = { max_concurrency = var.concurrency.advance_order }
}

module "sweep_orders_inbox" {
  source = "../inbox"

  name     = "sweep-orders"
  platform = var.platform
  function = module.sweep_orders

  schedules = {
    sweep-orders = {
      event       = "order-sweep.due"
      minutes     = var.time_out.sweep_minutes
      description = "Asks for orders that have waited too long to be cancelled."
    }
  }

  batch = { size = 1, max_concurrency = 2 }
}
