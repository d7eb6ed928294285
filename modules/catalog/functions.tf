# The catalog over HTTP.

module "catalog_api" {
  source = "../lambda-function"

  name        = "catalog-api"
  description = "Shows products to everybody and lets editors change them."
  platform    = var.platform
  code        = { service = "catalog", module = "api" }

  environment = { PRODUCTS_TABLE = module.products.name }
  resources   = { memory_mb = var.function.memory_mb }
  policies = {
    read-products  = module.products.policies.read
    write-products = module.products.policies.write
  }
}
