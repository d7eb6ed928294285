variable "stack" {
  description = "Whose operators these are: the start of every name, and where."
  type = object({
    prefix     = string
    region     = string
    account_id = string
    partition  = optional(string, "aws")
  })
  nullable = false
}

variable "bus" {
  description = "The bus that operators follow, replay and tell of what they did, and the quarantine bucket beside it."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "kms" {
  description = "The environment's own key, which operators may use for what it encrypts; null: keys owned by AWS."
  type        = object({ key_arn = string })
  default     = null
}

variable "outputs" {
  description = "What the command line must know of the environment, as JSON. Kept gzipped in a parameter, whose limit is 8 KB."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.outputs))
    error_message = "The outputs must be JSON, as `jsonencode` makes it."
  }
}
