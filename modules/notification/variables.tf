variable "bus" {
  description = "The bus that orders are followed on and notifications announced on, and the bucket that keeps what could not be published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "sender" {
  description = "Who writes: the address in From, and the identity verified in SES that allows it (a domain or address that the account has already; null: the address is registered, and AWS mails it a link to confirm)."
  type = object({
    address  = string
    identity = optional(string)
  })
  nullable = false

  validation {
    condition     = can(regex("^[^@\\s<>]+@[^@\\s<>]+\\.[^@\\s<>]+$", var.sender.address))
    error_message = "A sender wants a bare e-mail address; got \"${var.sender.address}\"."
  }
  validation {
    condition     = endswith(var.sender.address, coalesce(var.sender.identity, var.sender.address))
    error_message = "A sender's identity wants to be its address or the domain of it (${var.sender.address}); got \"${coalesce(var.sender.identity, "null")}\"."
  }
}

variable "function" {
  description = "Memory of the function, and how many e-mails it sends at once at most: SES allows an account so many a second."
  type = object({
    memory_mb       = optional(number, 256)
    max_concurrency = optional(number, 5)
  })
  default  = {}
  nullable = false
}
