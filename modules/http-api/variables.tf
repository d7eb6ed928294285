variable "routes" {
  description = "What the API answers, by route key (\"GET /products/{product_id}\"): the function that does, the scope that a token must grant (null: any valid token), or that no token is asked. The services' `routes` outputs, merged."
  type = map(object({
    function_name = string
    function_arn  = string
    scope         = optional(string)
    public        = optional(bool, false)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.routes) : can(regex("^(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9_{}+./-]*$", key))])
    error_message = "A route key wants the form \"METHOD /path/{parameter}\"; got ${join(", ", [for key in keys(var.routes) : "\"${key}\"" if !can(regex("^(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9_{}+./-]*$", key))])}."
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : !(route.public && route.scope != null)])
    error_message = "A public route asks for no token, so it cannot want a scope; got ${join(", ", [for key, route in var.routes : "\"${key}\" with ${coalesce(route.scope, "none")}" if route.public])}."
  }
  validation {
    condition     = !contains(keys(var.routes), "GET /openapi.json")
    error_message = "The route \"GET /openapi.json\" is the API's own; a service wants another path."
  }
}

variable "scopes" {
  description = "What a token may grant beyond being valid, by scope (\"millrace/catalog.write\"): one sentence for people. In an own user pool each scope is also a group, and a member's tokens grant it."
  type        = map(string)
  default = {
    "millrace/catalog.write"  = "May create, change and delete products."
    "millrace/orders.admin"   = "May see everybody's orders."
    "millrace/stock.write"    = "May see and set the pieces in stock."
    "millrace/telemetry.read" = "May see the devices, what they measured and their anomalies."
  }
  nullable = false

  validation {
    condition     = alltrue([for scope in keys(var.scopes) : can(regex("^[a-z][a-z0-9-]*/[a-z][a-z0-9._-]*$", scope))])
    error_message = "A scope wants the form resource/permission in lower case; got ${join(", ", keys(var.scopes))}."
  }
}

variable "issuer" {
  description = "Whose tokens are trusted: an OpenID Connect issuer (its URL) and the audiences that its tokens name. Null: a Cognito user pool of the API's own."
  type = object({
    url      = string
    audience = set(string)
  })
  default = null

  validation {
    condition     = var.issuer == null || can(regex("^https://[^/]+", var.issuer.url))
    error_message = "An issuer wants an https URL; got \"${try(var.issuer.url, "null")}\"."
  }
  validation {
    condition     = var.issuer == null || try(length(var.issuer.audience) > 0, false)
    error_message = "An issuer wants at least one audience, or tokens made for others would be taken; got none."
  }
}

variable "users" {
  description = "The own user pool: whether people may sign themselves up, minutes until an access token expires, and whether an operator with AWS credentials may get a token for a test user (`millrace token`; never where real customers are)."
  type = object({
    self_sign_up    = optional(bool, false)
    token_minutes   = optional(number, 60)
    operator_tokens = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.users.token_minutes >= 5 && var.users.token_minutes <= 1440
    error_message = "Access tokens want to live 5 to 1440 minutes; got ${var.users.token_minutes}."
  }
}

variable "throttle" {
  description = "Requests per second that each route takes, and how many at once beyond that; beyond both the answer is 429. `routes` sets other figures by route key."
  type = object({
    rate  = optional(number, 200)
    burst = optional(number, 400)
    routes = optional(map(object({
      rate  = number
      burst = number
    })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for limit in concat([var.throttle], values(var.throttle.routes)) : limit.rate >= 1 && limit.burst >= 1])
    error_message = "A throttle wants a rate and a burst of at least 1, for at 0 nothing is answered; got rate ${var.throttle.rate}, burst ${var.throttle.burst}${join("", [for key, limit in var.throttle.routes : ", \"${key}\" ${limit.rate}/${limit.burst}"])}."
  }
}

variable "cors" {
  description = "The web pages that may call the API from a browser, by origin (\"https://shop.example.com\"), and for how long a browser remembers so. No origins: none may."
  type = object({
    origins         = optional(set(string), [])
    max_age_seconds = optional(number, 3600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for origin in var.cors.origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "An origin wants a scheme and a host, without a path or a wildcard; got ${join(", ", var.cors.origins)}."
  }
}

variable "domain" {
  description = "A host name of your own with its certificate in the same region; the execute-api address is then switched off, so that nobody goes around it. Null: the execute-api address."
  type = object({
    name            = string
    certificate_arn = string
  })
  default = null
}

variable "alarms" {
  description = "When to raise the alarm: this share of requests answered 5xx, or a 99th percentile of latency beyond so many milliseconds, both over 5 minutes."
  type = object({
    error_rate     = optional(number, 0.01)
    p99_latency_ms = optional(number, 2000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.alarms.error_rate > 0 && var.alarms.error_rate < 1
    error_message = "An error rate wants a share between 0 and 1; got ${var.alarms.error_rate}."
  }
}
