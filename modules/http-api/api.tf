# The HTTP API: one address for every service's routes.

locals {
  full_name = "${var.platform.prefix}-api"
}

resource "aws_apigatewayv2_api" "this" {
  name          = local.full_name
  description   = "The HTTP API of ${var.platform.prefix}; GET /openapi.json describes it."
  protocol_type = "HTTP"

  disable_execute_api_endpoint = var.domain != null

  dynamic "cors_configuration" {
    for_each = length(var.cors.origins) > 0 ? [var.cors] : []

    content {
      allow_origins  = cors_configuration.value.origins
      allow_methods  = ["DELETE", "GET", "PATCH", "POST", "PUT"]
      allow_headers  = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "x-correlation-id"]
      expose_headers = ["etag", "location", "retry-after", "x-correlation-id"]
      max_age        = cors_configuration.value.max_age_seconds
      # Tokens travel in a header, never in a cookie, so a browser has no credentials to add by itself.
      allow_credentials = false
    }
  }
}
