# One basket per customer with the events that tell of it, and beside them what the catalog offers.

module "baskets" {
  source = "../outbox-table"

  name     = "baskets"
  platform = var.platform
  bus      = var.bus

  emits = {
    for type in ["basket.checked_out.v1", "basket.abandoned.v1"] : type => { source = "millrace.basket" }
  }

  indexes = {
    # Sparse: a basket is in here while it is filled and not announced as abandoned. Eight shards share the writes.
    idle = { hash = { name = "idle_shard" }, range = { name = "last_changed" } }
  }

  access = {
    basket-api = {
      items = {
        BatchGetItem = ["product/*"]
        GetItem      = ["basket/*"]
        PutItem      = ["basket/*"]
      }
    }
    replicate-product = {
      items = {
        PutItem = ["product/*"]
      }
    }
    sweep-baskets = {
      items = {
        BatchGetItem = ["product/*"]
        PutItem      = ["basket/*"]
        UpdateItem   = ["basket/*"]
      }
      indexes = ["idle"]
    }
  }
}
