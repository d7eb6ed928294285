# One route per operation, one integration per function, one permission per function.

locals {
  docs_route = {
    "GET /openapi.json" = {
      function_name = module.api_docs.name
      function_arn  = module.api_docs.arn
      scope         = null
      public        = true
    }
  }
  routes = merge(var.routes, local.docs_route)

  # Many routes of a service are answered by one function.
  functions = { for route in values(local.routes) : route.function_name => route.function_arn... }
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = local.functions

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = each.value[0]
  payload_format_version = "2.0"
  timeout_milliseconds   = 29000
}

resource "aws_apigatewayv2_route" "this" {
  for_each = local.routes

  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.function[each.value.function_name].id}"

  authorization_type   = each.value.public ? "NONE" : "JWT"
  authorizer_id        = each.value.public ? null : aws_apigatewayv2_authorizer.token.id
  authorization_scopes = each.value.scope == null ? null : [each.value.scope]

  lifecycle {
    precondition {
      condition     = each.value.scope == null || contains(keys(var.scopes), coalesce(each.value.scope, "-"))
      error_message = "The route \"${each.key}\" wants the scope ${coalesce(each.value.scope, "-")}, which `scopes` does not hold: no token could grant it. It has ${join(", ", keys(var.scopes))}."
    }
  }
}

resource "aws_lambda_permission" "answer_requests" {
  for_each = local.functions

  statement_id  = "AnswerRequests"
  action        = "lambda:InvokeFunction"
  function_name = each.key
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/$default/*" # this API's one stage, no other
}
