variable "name" {
  description = "Short noun in kebab case. The bus is called \"<prefix>-<name>\", its archive likewise."
  type        = string
  default     = "bus"
  nullable    = false

  validation {
    # An archive's name is the shorter of the two: at most 48 characters.
    condition     = length("${var.platform.prefix}-${var.name}") <= 48
    error_message = "A bus's full name wants at most 48 characters (its archive bears it too); got ${length("${var.platform.prefix}-${var.name}")} in \"${var.platform.prefix}-${var.name}\"."
  }
}

variable "speakers" {
  description = "Who speaks as which service: by the source of the events, the names of the roles that put them on the bus. Others are refused, whatever their own policies allow, but for `platform.operators`."
  type        = map(list(string))
  default     = {}
  nullable    = false
}
