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
  description = "Who writes: the address in From; the identity in SES that allows it (its domain; null: the address itself); and what is registered here: \"address\" (AWS mails it a link to confirm), \"domain\" (proven by the DNS records of the output dkim_tokens), or null where the account has the identity already. That is said by itself, since no plan knows an identity that the same root makes."
  type = object({
    address  = string
    identity = optional(string)
    register = optional(string)
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
  validation {
    condition     = var.sender.register == null || try(contains(["address", "domain"], var.sender.register), false)
    error_message = "What is registered of a sender wants to be \"address\", \"domain\" or null; got \"${coalesce(var.sender.register, "null")}\"."
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
