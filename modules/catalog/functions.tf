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
    use-products  = module.products.policies.catalog-api
    list-products = data.aws_iam_policy_document.list_products.json
  }
}

data "aws_iam_policy_document" "list_products" {
  statement {
    # Of the index alone: it holds nothing but what is sold, so a page of the whole list costs what it shows.
    sid       = "ListProducts"
    actions   = ["dynamodb:Scan"]
    resources = ["${module.products.arn}/index/by_category"]
  }
}
