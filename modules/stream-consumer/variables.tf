variable "stream" {
  description = "What is read: its kind (\"dynamodb\": a table's stream, or \"kinesis\"), the name of the table or the stream, the stream's ARN, and the hours after which it forgets (a table's stream: 24)."
  type = object({
    kind            = string
    name            = string
    arn             = string
    retention_hours = optional(number, 24)
  })
  nullable = false

  validation {
    condition     = contains(["dynamodb", "kinesis"], var.stream.kind)
    error_message = "A stream's kind wants dynamodb or kinesis; got \"${var.stream.kind}\"."
  }
}

variable "function" {
  description = "The one function that reads the stream; pass the lambda-function module itself. A function reads one stream: the alarms bear its name."
  type = object({
    name      = string
    role_name = string
  })
  nullable = false
}

variable "quarantine_name" {
  description = "The bucket that keeps, with their payload, the records that failed for good."
  type        = string
  nullable    = false
}

variable "batch" {
  description = "Records per invocation at most (6 MB in any case), how many seconds to wait for a batch to fill, and how many batches of one shard are worked on at once: records of one key stay in order."
  type = object({
    size            = optional(number, 100)
    window_seconds  = optional(number, 0)
    parallelization = optional(number, 2)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.batch.size >= 1 && var.batch.size <= 10000 && floor(var.batch.size) == var.batch.size
    error_message = "A batch of a stream wants 1 to 10000 records; got ${var.batch.size}."
  }
  validation {
    condition     = var.batch.window_seconds >= 0 && var.batch.window_seconds <= 300 && floor(var.batch.window_seconds) == var.batch.window_seconds
    error_message = "A batch waits 0 to 300 whole seconds to fill; got ${var.batch.window_seconds}."
  }
  validation {
    condition     = var.batch.parallelization >= 1 && var.batch.parallelization <= 10 && floor(var.batch.parallelization) == var.batch.parallelization
    error_message = "A shard wants 1 to 10 workers; got ${var.batch.parallelization}."
  }
}

variable "give_up_seconds" {
  description = "The age of its records at which a failing batch is given up and kept in the quarantine. Its shard waits as long, so what heals by itself should heal within. A backlog of good records is skipped at that age as well. Null: an hour before the stream forgets, or before 7 days, which is the time left to keep them."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.give_up_seconds, 60) >= 60 && coalesce(var.give_up_seconds, 60) <= min(604800, var.stream.retention_hours * 3600)
    error_message = "Records are given up at an age of 60 to ${min(604800, var.stream.retention_hours * 3600)} s, before the stream forgets them; got ${coalesce(var.give_up_seconds, 60)} s."
  }
}

variable "pattern" {
  description = "Only records that this event filter (JSON) matches reach the function; null: all of them."
  type        = string
  default     = null

  validation {
    condition     = var.pattern == null || can(jsondecode(var.pattern))
    error_message = "A filter pattern wants JSON; got \"${coalesce(var.pattern, "null")}\"."
  }
}

variable "starting_position" {
  description = "Where a new mapping begins: TRIM_HORIZON with the oldest record there is, LATEST with what comes from then on; it misses what is written while the mapping starts."
  type        = string
  default     = "TRIM_HORIZON"
  nullable    = false

  validation {
    condition     = contains(["TRIM_HORIZON", "LATEST"], var.starting_position)
    error_message = "A starting position wants TRIM_HORIZON or LATEST; got \"${var.starting_position}\"."
  }
}

variable "lag_minutes" {
  description = "The alarm goes off when the oldest record read is older than this for three minutes."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.lag_minutes >= 1 && var.lag_minutes < var.stream.retention_hours * 60
    error_message = "The alarm on lag wants 1 minute to less than the ${var.stream.retention_hours} hours after which the stream forgets; got ${var.lag_minutes} minutes."
  }
}

variable "words" {
  description = "What two of the alarms say: what it means that the reader lags or gave something up, the link to the runbook, and the first thing to do."
  type = object({
    lags        = object({ meaning = string, runbook = string, remedy = string })
    quarantined = object({ meaning = string, runbook = string, remedy = string })
  })
  nullable = false

  validation {
    condition     = alltrue(flatten([for word in values(var.words) : [for text in values(word) : trimspace(text) != ""]]))
    error_message = "An alarm wants a meaning, a runbook and a remedy, or whoever it wakes knows nothing."
  }
}
