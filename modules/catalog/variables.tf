variable "bus" {
  description = "The bus that changes of products are announced on, and the bucket that keeps what could not be published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "function" {
  description = "Memory of the API's function, which also buys its speed: 1769 MB are one full CPU."
  type = object({
    memory_mb = optional(number, 512)
  })
  default  = {}
  nullable = false
}
