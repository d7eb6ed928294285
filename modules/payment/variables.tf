variable "bus" {
  description = "The bus that orders are followed on and payments announced on, and the bucket that keeps what could not be published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "gateway" {
  description = "Who moves the money: the base URL of the gateway, the Secrets Manager secret that holds its API key as plain text, and how patient each call is (a try's connect and read time-outs, and the number of tries)."
  type = object({
    url        = string
    secret_arn = string
    timing = optional(object({
      connect_seconds = optional(number, 2)
      read_seconds    = optional(number, 5)
      attempts        = optional(number, 4)
    }), {})
  })
  nullable = false

  validation {
    condition     = can(regex("^(https://[^/]+|http://(127\\.0\\.0\\.1|localhost|[a-z0-9-]+\\.[a-z.-]*localhost)(:[0-9]+)?)(/|$)", var.gateway.url))
    error_message = "A gateway wants an https URL, since the API key travels to it (http only on the loopback address); got \"${var.gateway.url}\"."
  }
  validation {
    # The API finds a secret by less, but a policy for less allows nothing.
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}$", var.gateway.secret_arn))
    error_message = "A gateway's secret wants its whole ARN, which ends in a hyphen and six characters that Secrets Manager chose; got \"${var.gateway.secret_arn}\"."
  }
  validation {
    condition     = var.gateway.timing.attempts >= 1 && var.gateway.timing.connect_seconds > 0 && var.gateway.timing.read_seconds > 0
    error_message = "A call wants at least one try, and time-outs above 0 s; got ${var.gateway.timing.attempts} tries of ${var.gateway.timing.connect_seconds} s + ${var.gateway.timing.read_seconds} s."
  }
  validation {
    # A cancellation may need two calls (cancel, then refund), each with up to a second of pause before every further try.
    condition     = 2 * var.gateway.timing.attempts * (var.gateway.timing.connect_seconds + var.gateway.timing.read_seconds + 1) <= local.timeout_seconds
    error_message = "Two calls to the gateway want to fit in the function's ${local.timeout_seconds} s, pauses included, or it dies in the midst of one; got 2 x ${var.gateway.timing.attempts} tries of ${var.gateway.timing.connect_seconds} s + ${var.gateway.timing.read_seconds} s + 1 s."
  }
}

variable "function" {
  description = "Memory of the function, and how many payments it handles at once at most (what the gateway takes)."
  type = object({
    memory_mb       = optional(number, 512)
    max_concurrency = optional(number, 10)
  })
  default  = {}
  nullable = false
}
