# One state item per product, and the events that made it so.

module "products" {
  source = "../outbox-table"

  name     = "products"
  platform = var.platform
  bus      = var.bus

  emits = {
    for change in ["created", "updated", "deleted"] :
    "product.${change}.v1" => { source = "millrace.catalog" }
  }

  indexes = {
    # Sparse: only products that are sold carry a category. `listed_as` is the name, then the id: unique, so that a page can end anywhere.
    by_category = { hash = { name = "category" }, range = { name = "listed_as" } }
  }

  access = {
    catalog-api = {
      items = {
        GetItem = ["product/*"]
        PutItem = ["product/*"]
      }
      indexes = ["by_category"]
    }
  }
}
