variable "name" {
  description = "Short noun in kebab case, e.g. \"uploads\". The bucket is called \"<prefix>-<name>-<account id>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.name))
    error_message = "A bucket's name wants kebab case (a-z, 0-9, -); got \"${var.name}\"."
  }
  validation {
    condition     = length("${var.platform.prefix}-${var.name}-${var.platform.account_id}") <= 63
    error_message = "A bucket's full name wants at most 63 characters; got ${length("${var.platform.prefix}-${var.name}-${var.platform.account_id}")} in \"${var.platform.prefix}-${var.name}-${var.platform.account_id}\"."
  }
}

variable "versioned" {
  description = "Keeps overwritten and deleted objects as old versions for `platform.data.noncurrent_days`."
  type        = bool
  default     = false
  nullable    = false
}

variable "announces_objects" {
  description = "Sends every object event of the bucket to the account's default event bus."
  type        = bool
  default     = false
  nullable    = false
}

variable "expire_after_days" {
  description = "Deletes objects this many days after they were written; null keeps them."
  type        = number
  default     = null

  validation {
    condition     = var.expire_after_days == null || try(var.expire_after_days >= 1 && floor(var.expire_after_days) == var.expire_after_days, false)
    error_message = "Objects expire after a whole number of days, at least 1; got ${coalesce(var.expire_after_days, 0)}."
  }
}

variable "infrequent_after_days" {
  description = "Moves objects of at least 128 KB to infrequent access this many days after they were written: half the price, with a fee for each read. Null leaves them."
  type        = number
  default     = null

  validation {
    condition     = var.infrequent_after_days == null || try(var.infrequent_after_days >= 30 && floor(var.infrequent_after_days) == var.infrequent_after_days, false)
    error_message = "Objects move to infrequent access after a whole number of days, at least 30; got ${coalesce(var.infrequent_after_days, 0)}."
  }
  validation {
    condition     = try(var.infrequent_after_days + 30 <= var.expire_after_days, true)
    error_message = "Infrequent access is paid for 30 days at least: objects that expire after ${coalesce(var.expire_after_days, 0)} days want to move 30 days before; got ${coalesce(var.infrequent_after_days, 0)}."
  }
}
