variable "faults" {
  description = "How the sandbox misbehaves beyond its test tokens: the share of calls that fail (0 to 1, decided by the call's key and attempt), and how long it stays silent for a token that times out."
  type = object({
    failure_rate  = optional(number, 0)
    stall_seconds = optional(number, 6)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.faults.failure_rate >= 0 && var.faults.failure_rate < 1
    error_message = "A failure rate wants 0 (never) up to, not including, 1; got ${var.faults.failure_rate}."
  }
  validation {
    condition     = var.faults.stall_seconds >= 0 && var.faults.stall_seconds <= 25
    error_message = "A silence wants 0 to 25 s, less than API Gateway waits (30 s); got ${var.faults.stall_seconds}."
  }
}
