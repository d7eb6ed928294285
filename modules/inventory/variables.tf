variable "bus" {
  description = "The bus that orders and products come from and reservations are announced on, and the bucket that keeps what could not be published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "function" {
  description = "Memory of both functions, which also buys their speed (1769 MB are one full CPU), and how many batches of orders are worked on at once at most."
  type = object({
    memory_mb           = optional(number, 512)
    reserve_concurrency = optional(number, 5)
  })
  default  = {}
  nullable = false
}
