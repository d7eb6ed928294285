variable "prefix" {
  description = "The start of every name."
  type        = string
  nullable    = false
}

variable "alarm_email" {
  description = "Where alarms are sent; the address gets a mail to confirm first. Null: nobody is subscribed."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.alarm_email))
    error_message = "An alarm address wants the form name@host; got \"${coalesce(var.alarm_email, "null")}\"."
  }
}

variable "kms" {
  description = "The key that encrypts alarms at rest; null: not encrypted beyond what SNS does itself."
  type        = object({ key_arn = string })
  default     = null
}

variable "xray" {
  description = "Makes the X-Ray group and sampling rule: the first traces of each second, then this share of the rest. Null where there is no X-Ray."
  type = object({
    reservoir  = optional(number, 5)
    fixed_rate = optional(number, 0.05)
  })
  default = null

  validation {
    condition     = var.xray == null || try(var.xray.fixed_rate >= 0 && var.xray.fixed_rate <= 1, false)
    error_message = "A sampling rate wants 0 to 1; got ${try(var.xray.fixed_rate, "null")}."
  }
}
