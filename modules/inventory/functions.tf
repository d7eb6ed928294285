# One function moves stock as the shop's events come in, the other answers administrators.

module "reserve_stock" {
  source = "../lambda-function"

  name        = "reserve-stock"
  description = "Sets stock aside for placed orders and gives it back when they are cancelled."
  platform    = var.platform
  code        = { service = "inventory", module = "reserve_stock" }

  environment = { STOCK_TABLE = module.stock.name }
  resources   = { memory_mb = var.function.memory_mb }
  policies = {
    use-stock = module.stock.policies.reserve-stock
  }
}

module "inventory_api" {
  source = "../lambda-function"

  name        = "inventory-api"
  description = "Shows administrators the stock of a product, and lets them count it."
  platform    = var.platform
  code        = { service = "inventory", module = "api" }

  environment = { STOCK_TABLE = module.stock.name }
  resources   = { memory_mb = var.function.memory_mb }
  policies = {
    use-stock = module.stock.policies.inventory-api
  }
}
