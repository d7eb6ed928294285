# What moves orders on, what gives up on them, what shows them.

module "advance_order" {
  source = "../lambda-function"

  name        = "advance-order"
  description = "Lets the facts of other services move orders on."
  platform    = var.platform
  code        = { service = "ordering", module = "advance_order" }

  environment = { ORDERS_TABLE = module.orders.name }
  policies = {
    read-orders  = module.orders.policies.read
    write-orders = module.orders.policies.write
  }
}

module "sweep_orders" {
  source = "../lambda-function"

  name        = "sweep-orders"
  description = "Cancels the orders that have waited too long."
  platform    = var.platform
  code        = { service = "ordering", module = "sweep_orders" }

  environment = merge(local.tables, { ORDER_TIMEOUT_SECONDS = tostring(var.time_out.order_minutes * 60) })
  resources   = { timeout_seconds = 60 }
  policies = merge(local.read_views, {
    read-orders  = module.orders.policies.read
    write-orders = module.orders.policies.write
  })
}

module "project_orders" {
  source = "../lambda-function"

  name        = "project-orders"
  description = "Keeps the read side of the orders up to date."
  platform    = var.platform
  code        = { service = "ordering", module = "project_orders" }

  environment = merge(local.tables, { QUARANTINE_BUCKET = var.bus.quarantine_name })
  resources   = { memory_mb = 512, timeout_seconds = 60 }
  policies = merge(local.read_views, local.write_views, {
    read-orders = module.orders.policies.read
  })
}

module "ordering_api" {
  source = "../lambda-function"

  name        = "ordering-api"
  description = "Shows orders to their owners and to admins."
  platform    = var.platform
  code        = { service = "ordering", module = "api" }

  environment = local.tables
  policies    = merge(local.read_views, { read-orders = module.orders.policies.read })
}
