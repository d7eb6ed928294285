# Stock by product with the ledger of its counts, reservations by order, and the events that tell of both.

module "stock" {
  source = "../outbox-table"

  name     = "stock"
  platform = var.platform
  bus      = var.bus

  emits = {
    for type in ["reserved", "rejected", "released", "depleted"] :
    "stock.${type}.v1" => { source = "millrace.inventory" }
  }

  access = {
    reserve-stock = {
      items = {
        BatchGetItem = ["stock/*"]
        GetItem      = ["order/*"]
        PutItem      = ["order/*", "stock/*"]
        UpdateItem   = ["stock/*"]
      }
    }
    inventory-api = {
      items = {
        GetItem = ["stock/*"]
        PutItem = ["stock/*"]
      }
    }
  }
}
