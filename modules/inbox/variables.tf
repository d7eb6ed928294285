variable "name" {
  description = "Short name in kebab case, usually that of the function, e.g. \"render-image\". The queue is called \"<prefix>-<name>\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.name))
    error_message = "An inbox's name wants kebab case (a-z, 0-9, -); got \"${var.name}\"."
  }
  validation {
    # The dead-letter queue's name is the longest: "-dead-letter" follows.
    condition     = length("${var.platform.prefix}-${var.name}-dead-letter") <= 80
    error_message = "A queue's full name wants at most 80 characters; got ${length("${var.platform.prefix}-${var.name}-dead-letter")} in \"${var.platform.prefix}-${var.name}-dead-letter\"."
  }
}

variable "function" {
  description = "The one function that reads this inbox; pass the lambda-function module itself."
  type = object({
    name            = string
    role_name       = string
    timeout_seconds = number
  })
  nullable = false
}

variable "subscriptions" {
  description = "Which events come in: an event pattern (JSON) and the bus it listens on, by a short name for the rule."
  type = map(object({
    pattern  = string
    bus_name = optional(string, "default")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : can(jsondecode(subscription.pattern))])
    error_message = "Every pattern wants JSON; got ${join(", ", [for key, subscription in var.subscriptions : key if !can(jsondecode(subscription.pattern))])} without."
  }
  validation {
    condition     = alltrue([for key in keys(var.subscriptions) : length("${var.platform.prefix}-${var.name}-${key}") <= 64])
    error_message = "A rule's full name wants at most 64 characters; got ${join(", ", [for key in keys(var.subscriptions) : "\"${var.platform.prefix}-${var.name}-${key}\"" if length("${var.platform.prefix}-${var.name}-${key}") > 64])}."
  }
}

variable "schedules" {
  description = "Which messages the clock sends, by the short name of the schedule: the event's type, and the minutes between two."
  type = map(object({
    event       = string
    minutes     = number
    description = string
  }))
  default  = {}
  nullable = false

  validation {
    # CloudWatch looks back one day at most, and the alarm on a schedule that stands still over three of its turns.
    condition     = alltrue([for schedule in values(var.schedules) : schedule.minutes >= 1 && schedule.minutes <= 480 && floor(schedule.minutes) == schedule.minutes])
    error_message = "A schedule wants a whole number of minutes, 1 to 480; got ${join(", ", [for name, schedule in var.schedules : "${name} ${schedule.minutes}"])}."
  }
}

variable "queue" {
  description = "How long a message in work stays hidden (null: six times the function's timeout) and how long an unread one is kept."
  type = object({
    visibility_timeout_seconds = optional(number)
    retention_days             = optional(number, 4)
  })
  default  = {}
  nullable = false

  validation {
    condition     = coalesce(var.queue.visibility_timeout_seconds, 6 * var.function.timeout_seconds) >= 6 * var.function.timeout_seconds
    error_message = "The visibility timeout wants at least 6 x the function's timeout (6 x ${var.function.timeout_seconds} = ${6 * var.function.timeout_seconds} s), or a slow batch is delivered twice; got ${coalesce(var.queue.visibility_timeout_seconds, 0)} s."
  }
  validation {
    condition     = coalesce(var.queue.visibility_timeout_seconds, 6 * var.function.timeout_seconds) <= 43200
    error_message = "SQS hides a message for at most 43200 s; got ${coalesce(var.queue.visibility_timeout_seconds, 6 * var.function.timeout_seconds)} s."
  }
  validation {
    condition     = var.queue.retention_days >= 1 && var.queue.retention_days < 14
    error_message = "The inbox keeps messages 1 to 13 days, less than its dead-letter queue's 14; got ${var.queue.retention_days}."
  }
}

variable "batch" {
  description = "Messages per invocation, how long to wait for a batch to fill, and how many invocations at once at most."
  type = object({
    size            = optional(number, 10)
    window_seconds  = optional(number, 0)
    max_concurrency = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.batch.size >= 1 && var.batch.size <= 10000 && (var.batch.size <= 10 || var.batch.window_seconds >= 1)
    error_message = "A batch wants 1 to 10 messages, or up to 10000 with a window of at least 1 s; got ${var.batch.size} with a window of ${var.batch.window_seconds} s."
  }
  validation {
    condition     = var.batch.max_concurrency >= 2 && var.batch.max_concurrency <= 1000
    error_message = "An inbox's concurrency wants 2 to 1000; got ${var.batch.max_concurrency}."
  }
}
