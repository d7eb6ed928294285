# The orders, which are their events, and the read side: two tables, so that one can be rebuilt while the other answers.

module "orders" {
  source = "../outbox-table"

  name     = "orders"
  platform = var.platform
  bus      = var.bus

  emits = {
    for type in ["placed", "stock_reserved", "fraud_cleared", "approved", "confirmed", "cancelled"] :
    "order.${type}.v1" => { source = "millrace.ordering" }
  }

  projection = {
    function        = module.project_orders
    parallelization = var.concurrency.project_orders
  }
}

module "orders_view" {
  source   = "../outbox-table"
  for_each = toset(["a", "b"])

  name     = "orders-view-${each.key}"
  platform = var.platform
  bus      = null # rows tell of events, they are none

  indexes = {
    # `placed` is time and order id: unique, so that a page can end between any two orders.
    by_customer = { hash = { name = "customer_id" }, range = { name = "placed" } }
    by_state    = { hash = { name = "state_shard" }, range = { name = "placed" } }
  }
}

locals {
  tables = {
    ORDERS_TABLE  = module.orders.name
    ORDERS_VIEW_A = module.orders_view["a"].name
    ORDERS_VIEW_B = module.orders_view["b"].name
  }
  read_views  = { for name, view in module.orders_view : "read-view-${name}" => view.policies.read }
  write_views = { for name, view in module.orders_view : "write-view-${name}" => view.policies.write }
}
