# The API describes itself: GET /openapi.json, to anybody.

module "api_docs" {
  source = "../lambda-function"

  name        = "api-docs"
  description = "Answers GET /openapi.json with the description of the whole API."
  platform    = var.platform
  code        = { service = "api_docs", module = "api" }
}
