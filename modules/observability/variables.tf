variable "stack" {
  description = "Whose alarms these are: the project (the namespace of our own metrics), the environment (named in every command of an alarm's text), the start of every name, and where."
  type = object({
    project     = string
    environment = string
    prefix      = string
    region      = string
    account_id  = string
    partition   = optional(string, "aws")
  })
  nullable = false
}

variable "alarms" {
  description = "Who is mailed the pages, by a name for each of them (an address gets a mail to confirm first; none: nobody is subscribed), and the runbook that every alarm's text links."
  type = object({
    emails      = optional(map(string), {})
    runbook_url = optional(string, "docs/operations.md")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for address in values(var.alarms.emails) : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "An alarm address wants the form name@host; got ${join(", ", [for name, address in var.alarms.emails : "${name} \"${address}\""])}."
  }
}

variable "services" {
  description = "What to watch, by service: its capability (which dashboard it is on) and its uniform outputs. Every function, inbox and stream in them gets its alarms."
  type = map(object({
    capability = string
    functions = map(object({
      name            = string
      timeout_seconds = number
      log_group_name  = string
    }))
    inboxes = optional(map(object({ name = string })), {})
    dead_letter_queues = optional(map(object({
      name   = string
      alarms = object({ dead_letter = string, undelivered = optional(string), unscheduled = optional(string) })
    })), {})
    streams = optional(map(object({
      kind     = string
      name     = string
      function = string
      alarms   = object({ lags = string, stalled = optional(string), quarantined = string })
    })), {})
    routes   = optional(map(object({ function_name = string })), {})
    alarms   = optional(map(string), {}) # names of the alarms that the service makes itself
    absences = optional(map(string), {}) # those that tell what does not come though nothing fails, by the word for it
  }))
  default  = {}
  nullable = false
}

variable "api" {
  description = "The HTTP API: its id, the names of the alarms that it makes itself, and its access log. Null: there is none."
  type = object({
    id              = string
    alarms          = map(string)
    access_log_name = string
  })
  default = null
}

variable "bus_name" {
  description = "The bus, for the dashboards."
  type        = string
  nullable    = false
}

variable "objectives" {
  description = "What is promised: this share of a service's events has its effect within so many seconds after it was written, and this share of the API's requests is not answered 5xx. Long windows with fewer than `least` events or requests say nothing."
  type = object({
    effects  = optional(object({ seconds = optional(number, 60), share = optional(number, 0.99) }), {})
    requests = optional(object({ share = optional(number, 0.999) }), {})
    least    = optional(number, 20)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for share in [var.objectives.effects.share, var.objectives.requests.share] : share >= 0.9 && share < 1])
    error_message = "A promise wants a share from 0.9 to below 1; got ${var.objectives.effects.share} and ${var.objectives.requests.share}."
  }
  validation {
    condition     = var.objectives.effects.seconds >= 1 && var.objectives.least >= 1
    error_message = "A promise wants at least 1 second and 1 event; got ${var.objectives.effects.seconds} and ${var.objectives.least}."
  }
}

variable "thresholds" {
  description = "When single alarms go off: a function that fails in so many of 10 minutes, an invocation beyond this share of its time-out, a message that waits so many minutes, an inbox where so many minutes (a multiple of 5) nothing is done."
  type = object({
    error_minutes   = optional(number, 2)
    slow_share      = optional(number, 0.8)
    late_minutes    = optional(number, 10)
    stalled_minutes = optional(number, 15)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.thresholds.error_minutes >= 1 && var.thresholds.error_minutes <= 10
    error_message = "A function's errors want 1 to 10 of 10 minutes; got ${var.thresholds.error_minutes}."
  }
  validation {
    condition     = var.thresholds.slow_share > 0 && var.thresholds.slow_share < 1
    error_message = "Slowness wants a share of the time-out between 0 and 1; got ${var.thresholds.slow_share}."
  }
  validation {
    condition     = var.thresholds.late_minutes >= 1
    error_message = "A message is late after at least 1 minute; got ${var.thresholds.late_minutes}."
  }
  validation {
    condition     = var.thresholds.stalled_minutes >= 5 && var.thresholds.stalled_minutes % 5 == 0
    error_message = "A stall wants a multiple of 5 minutes; got ${var.thresholds.stalled_minutes}."
  }
}

variable "kms" {
  description = "The key that encrypts alarms at rest; null: not encrypted beyond what SNS does itself."
  type        = object({ key_arn = string })
  default     = null
}

variable "xray" {
  description = "Makes the X-Ray group that gathers the traces of what failed. Off where there is no X-Ray."
  type        = bool
  default     = false
  nullable    = false
}

variable "aws_only_features" {
  description = "Makes what only AWS itself can answer: alarms on metrics of queues and streams, composite alarms, dashboards, saved queries. Off, a function still has its alarm on errors."
  type        = bool
  default     = true
  nullable    = false
}
