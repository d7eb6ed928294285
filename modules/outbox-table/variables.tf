variable "name" {
  description = "Short plural noun in kebab case, e.g. \"images\". The table is called \"<prefix>-<name>\", its publisher \"<prefix>-<name>-publisher\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.name))
    error_message = "A table's name wants kebab case (a-z, 0-9, -); got \"${var.name}\"."
  }
  validation {
    condition     = length("${var.platform.prefix}-${var.name}-publisher") <= 64
    error_message = "A table's name and \"-publisher\" want at most 64 characters together; got ${length("${var.platform.prefix}-${var.name}-publisher")} in \"${var.platform.prefix}-${var.name}-publisher\"."
  }
}

variable "bus" {
  description = "The bus that the table's events go to, and the bucket that keeps what could not be published. Null: a table that holds no events, such as a projection; it has neither stream nor publisher."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
}

variable "emits" {
  description = "The event types that the table's service publishes, each with the service's own source. The publisher puts nothing else on the bus, and may not."
  type        = map(object({ source = string }))
  default     = {}
  nullable    = false

  validation {
    condition     = length(distinct(values(var.emits)[*].source)) == (var.bus == null ? 0 : 1)
    error_message = "A table with a bus wants the event types of one source, a table without one wants none; got [${join(", ", distinct(values(var.emits)[*].source))}]."
  }
}

variable "indexes" {
  description = "Global secondary indexes by name: a hash key and, if wanted, a range key, each with its type (S, N or B). All attributes are projected, or the keys alone: an item that changes in other attributes then costs no second write."
  type = map(object({
    hash      = object({ name = string, type = optional(string, "S") })
    range     = optional(object({ name = string, type = optional(string, "S") }))
    keys_only = optional(bool, false)
  }))
  default  = {}
  nullable = false
}

variable "access" {
  description = "Who may do what with the table, by the short name of the function: for each DynamoDB action the partition keys it may name (`*` stands for any text), and the indexes it may query. What is not here nobody may; `make privileges` records what functions do."
  type = map(object({
    items   = optional(map(list(string)), {})
    indexes = optional(list(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue(flatten([
      for access in values(var.access) : [
        for action, keys in access.items :
        contains(["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"], action) && length(keys) > 0
      ]
    ]))
    error_message = "Access to items wants an action on single items or one partition (GetItem, BatchGetItem, Query, PutItem, UpdateItem, DeleteItem, ConditionCheckItem) with at least one key; got ${join(", ", flatten([for name, access in var.access : [for action in keys(access.items) : "${name} ${action}"]]))}."
  }
  validation {
    condition     = alltrue([for access in values(var.access) : alltrue([for index in access.indexes : contains(keys(var.indexes), index)])])
    error_message = "Access wants indexes that the table has ([${join(", ", keys(var.indexes))}]); got [${join(", ", distinct(flatten(values(var.access)[*].indexes)))}]."
  }
}

variable "publisher" {
  description = "Size and pace of the publisher: shards are read by `parallelization` workers each. More than one may put two events of one subject on the bus in the wrong order, which Lambda keeps for an item alone; consumers of this house take it."
  type = object({
    memory_mb       = optional(number, 256)
    batch_size      = optional(number, 100)
    parallelization = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.publisher.parallelization >= 1 && var.publisher.parallelization <= 10
    error_message = "A shard wants 1 to 10 workers; got ${var.publisher.parallelization}."
  }
}

variable "projection" {
  description = "A function that keeps a read side of the table's own events: it reads the stream beside the publisher, each subject's events in order (with `parallelization` of more than 1 only nearly so). One at most, since a shard feeds two readers without throttling."
  type = object({
    function = object({
      name      = string
      role_name = string
    })
    batch_size      = optional(number, 100)
    parallelization = optional(number, 1)
  })
  default = null

  validation {
    condition     = var.projection == null || var.bus != null
    error_message = "A projection wants a table that holds events; got one without a bus."
  }
  validation {
    condition     = try(var.projection.parallelization >= 1 && var.projection.parallelization <= 10, true)
    error_message = "A shard wants 1 to 10 workers; got ${try(var.projection.parallelization, "none")}."
  }
}
