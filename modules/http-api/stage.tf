# The one stage: deployed by every change, throttled per route, each request a line in the access log.

resource "aws_cloudwatch_log_group" "access" {
  # Under this prefix AWS needs no statement per group in the account's log policy, which has a small size limit.
  name              = "/aws/vendedlogs/${local.full_name}"
  retention_in_days = var.platform.logs.retention_days
  kms_key_id        = try(var.platform.kms.key_arn, null)
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  description = "The only stage; environments are separate APIs."
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
    # Metrics by route cost per metric, and nothing reads them: the access log tells a route's failures and times.
    detailed_metrics_enabled = false
  }

  dynamic "route_settings" {
    for_each = var.throttle.routes

    content {
      route_key                = aws_apigatewayv2_route.this[route_settings.key].route_key
      throttling_rate_limit    = route_settings.value.rate
      throttling_burst_limit   = route_settings.value.burst
      detailed_metrics_enabled = false
    }
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # The route, not the path, and no query string: neither a customer's ids nor what they look for.
    format = jsonencode({
      time              = "$context.requestTime"
      request_id        = "$context.requestId"
      route             = "$context.routeKey"
      method            = "$context.httpMethod"
      status            = "$context.status"
      latency_ms        = "$context.responseLatency"
      function_ms       = "$context.integrationLatency"
      function_status   = "$context.integrationStatus"
      function_request  = "$context.integration.requestId"
      error             = "$context.error.message"
      integration_error = "$context.integrationErrorMessage"
      authorizer_error  = "$context.authorizer.error"
      subject           = "$context.authorizer.claims.sub"
      source_ip         = "$context.identity.sourceIp"
      user_agent        = "$context.identity.userAgent"
      response_bytes    = "$context.responseLength"
    })
  }

  lifecycle {
    precondition {
      condition     = length(setsubtract(keys(var.throttle.routes), keys(local.routes))) == 0
      error_message = "A throttle wants the key of a route there is; got ${join(", ", setsubtract(keys(var.throttle.routes), keys(local.routes)))}."
    }
  }
}
