# The sandbox's books. They hold no events.

module "ledger" {
  source = "../outbox-table"

  name     = "sandbox-ledger"
  platform = var.platform
  bus      = null

  access = {
    sandbox-gateway = {
      items = {
        GetItem    = ["key/*", "ledger/*", "payment/*"]
        PutItem    = ["key/*", "payment/*"]
        UpdateItem = ["ledger/*"]
        Query      = ["ledger/*"]
      }
    }
  }
}
