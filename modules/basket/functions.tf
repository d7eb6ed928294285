# The basket over HTTP, the replica of the catalog's offers, the sweep for abandoned baskets.

module "basket_api" {
  source = "../lambda-function"

  name        = "basket-api"
  description = "Lets customers fill their baskets and check them out."
  platform    = var.platform
  code        = { service = "basket", module = "api" }

  environment = { BASKETS_TABLE = module.baskets.name }
  resources   = { memory_mb = var.function.memory_mb }
  policies = {
    use-baskets = module.baskets.policies.basket-api
  }
}

module "replicate_product" {
  source = "../lambda-function"

  name        = "replicate-product"
  description = "Keeps the catalog's names and prices beside the baskets."
  platform    = var.platform
  code        = { service = "basket", module = "replicate_product" }

  environment = { BASKETS_TABLE = module.baskets.name }
  policies    = { use-baskets = module.baskets.policies.replicate-product }
}

module "sweep_baskets" {
  source = "../lambda-function"

  name        = "sweep-baskets"
  description = "Announces the baskets that nobody touched for a while."
  platform    = var.platform
  code        = { service = "basket", module = "sweep_baskets" }

  environment = {
    BASKETS_TABLE = module.baskets.name
    IDLE_MINUTES  = tostring(var.abandonment.idle_minutes)
  }
  resources = { timeout_seconds = 120 }
  policies = {
    use-baskets = module.baskets.policies.sweep-baskets
  }
}
