# Every route that is not public wants a token: signed by the issuer, meant for this API, not expired.

locals {
  issuer_url = var.issuer == null ? "https://${one(aws_cognito_user_pool.this[*].endpoint)}" : var.issuer.url
  audience   = var.issuer == null ? aws_cognito_user_pool_client.this[*].id : tolist(var.issuer.audience)
}

resource "aws_apigatewayv2_authorizer" "token" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "token"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = local.issuer_url
    audience = local.audience
  }
}
