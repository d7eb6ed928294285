variable "name" {
  description = "Short name in kebab case, e.g. \"render-image\". The function is called \"<prefix>-<name>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.name))
    error_message = "A function's name wants kebab case (a-z, 0-9, -); got \"${var.name}\"."
  }
  validation {
    condition     = length("${var.platform.prefix}-${var.name}") <= 64
    error_message = "A function's full name wants at most 64 characters; got ${length("${var.platform.prefix}-${var.name}")} in \"${var.platform.prefix}-${var.name}\"."
  }
}

variable "description" {
  description = "One sentence that the console shows beside the function."
  type        = string
  nullable    = false
}

variable "code" {
  description = "Where the handler lives: lambdas/<service>/<module>.py, packed as <artifacts.directory>/<service>.zip. Metrics and log lines call it `signs_as`, by default the service in kebab case."
  type = object({
    service  = string
    module   = string
    signs_as = optional(string)
  })
  nullable = false

  validation {
    condition     = alltrue([for part in [var.code.service, var.code.module] : can(regex("^[a-z][a-z0-9_]*$", part))])
    error_message = "Service and module want Python names in snake_case; got \"${var.code.service}\" and \"${var.code.module}\"."
  }
}

variable "environment" {
  description = "The function's own settings, beside those that every function gets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", name)) && !startswith(name, "POWERTOOLS_")])
    error_message = "Settings want UPPER_CASE names outside POWERTOOLS_*, which this block sets; got ${join(", ", keys(var.environment))}."
  }
}

variable "resources" {
  description = "Memory (which also buys CPU), time, scratch disk and the concurrency kept for, and capped at, this function (null: no reservation)."
  type = object({
    memory_mb            = optional(number, 256)
    timeout_seconds      = optional(number, 30)
    disk_mb              = optional(number, 512)
    reserved_concurrency = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.resources.memory_mb >= 128 && var.resources.memory_mb <= 10240
    error_message = "Memory wants 128 to 10240 MB; got ${var.resources.memory_mb}."
  }
  validation {
    condition     = var.resources.timeout_seconds >= 1 && var.resources.timeout_seconds <= 900
    error_message = "A timeout wants 1 to 900 seconds; got ${var.resources.timeout_seconds}."
  }
}

variable "policies" {
  description = "What the function may do beyond logging and tracing: policy documents (JSON) by the name of the capability, e.g. { write-renditions = ... }."
  type        = map(string)
  default     = {}
  nullable    = false
}
