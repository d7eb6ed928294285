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

  access = {
    advance-order = {
      items = {
        GetItem = ["order/*"]
        PutItem = ["order/*"]
        Query   = ["order/*"]
      }
    }
    sweep-orders = {
      items = {
        GetItem = ["order/*", "projection/*"]
        PutItem = ["order/*"]
        Query   = ["order/*"]
      }
    }
    project-orders = {
      items = {
        GetItem = ["projection/*"]
        Query   = ["order/*"]
      }
    }
    ordering-api = {
      items = {
        GetItem = ["projection/*"]
        Query   = ["order/*"]
      }
    }
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

  access = {
    sweep-orders = {
      indexes = ["by_state"]
    }
    project-orders = {
      items = {
        GetItem = ["order/*"]
        PutItem = ["order/*"]
      }
    }
    ordering-api = {
      items = {
        GetItem = ["order/*"]
      }
      indexes = ["by_customer", "by_state"]
    }
  }
}

locals {
  tables = {
    ORDERS_TABLE  = module.orders.name
    ORDERS_VIEW_A = module.orders_view["a"].name
    ORDERS_VIEW_B = module.orders_view["b"].name
  }
  use_views = {
    for function in ["sweep-orders", "project-orders", "ordering-api"] :
    function => { for name, view in module.orders_view : "use-view-${name}" => view.policies[function] }
  }
}
