# What moves orders on, what gives up on them, what shows them.

module "advance_order" {
  source = "../lambda-function"

  name        = "advance-order"
  description = "Lets the facts of other services move orders on."
  platform    = var.platform
  code        = { service = "ordering", module = "advance_order" }

  environment = { ORDERS_TABLE = module.orders.name }
  policies    = { use-orders = module.orders.policies.advance-order }
}

module "sweep_orders" {
  source = "../lambda-function"

  name        = "sweep-orders"
  description = "Cancels the orders that have waited too long."
  platform    = var.platform
  code        = { service = "ordering", module = "sweep_orders" }

  environment = merge(local.tables, { ORDER_TIMEOUT_SECONDS = tostring(var.time_out.order_minutes * 60) })
  resources   = { timeout_seconds = 60 }
  policies    = merge(local.use_views.sweep-orders, { use-orders = module.orders.policies.sweep-orders })
}

module "project_orders" {
  source = "../lambda-function"

  name        = "project-orders"
  description = "Keeps the read side of the orders up to date."
  platform    = var.platform
  code        = { service = "ordering", module = "project_orders" }

  environment = merge(local.tables, { QUARANTINE_BUCKET = var.bus.quarantine_name })
  resources   = { memory_mb = 512, timeout_seconds = 60 }
  policies    = merge(local.use_views.project-orders, { use-orders = module.orders.policies.project-orders })
}

module "ordering_api" {
  source = "../lambda-function"

  name        = "ordering-api"
  description = "Shows orders to their owners and to admins."
  platform    = var.platform
  code        = { service = "ordering", module = "api" }

  environment = local.tables
  policies    = merge(local.use_views.ordering-api, { use-orders = module.orders.policies.ordering-api })
}
