variable "bus" {
  description = "The bus that anomalies and new devices are announced on, and the bucket that keeps what could not be read or published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "stream" {
  description = "Shards of the stream (null: on demand, which follows the load) and hours that it keeps records. A shard takes 1,000 records or 1 MB a second."
  type = object({
    shards          = optional(number)
    retention_hours = optional(number, 24)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.stream.shards == null || try(var.stream.shards >= 1 && floor(var.stream.shards) == var.stream.shards, false)
    error_message = "A stream wants at least 1 shard, or null for on demand; got ${coalesce(var.stream.shards, 0)}."
  }
  validation {
    condition     = var.stream.retention_hours >= 24 && var.stream.retention_hours <= 8760
    error_message = "A stream keeps records 24 to 8760 hours; got ${var.stream.retention_hours}."
  }
}

variable "ingest" {
  description = "How records are taken in: how many at once (a batch holds 6 MB, some 8,600 records of 132 bytes), seconds to wait for a batch to fill, batches of one shard at once, and the function's memory (1769 MB buy one full CPU) and time."
  type = object({
    batch_size      = optional(number, 5000)
    window_seconds  = optional(number, 5)
    parallelization = optional(number, 2)
    memory_mb       = optional(number, 1769)
    timeout_seconds = optional(number, 120)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.ingest.memory_mb >= 512
    error_message = "Ingest wants at least 512 MB to hold a batch of 6 MB unpacked; got ${var.ingest.memory_mb}."
  }
}

variable "limits" {
  description = "What is refused and what is kept: a record older than `lateness_hours` or more than `future_seconds` ahead at its arrival is quarantined, rollups are kept `rollup_days`, and a device is silent after `silent_minutes` unless its type says otherwise. With `device_is_key`, a record whose partition key is not its device is quarantined, too: nobody speaks for another over MQTT, where the topic makes the key (null: with `iot`)."
  type = object({
    lateness_hours = optional(number, 24)
    future_seconds = optional(number, 120)
    rollup_days    = optional(number, 400)
    silent_minutes = optional(number, 15)
    device_is_key  = optional(bool)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, limit in var.limits : limit >= 1 && floor(limit) == limit if name != "device_is_key"])
    error_message = "Limits want whole numbers, at least 1; got ${join(", ", [for name, limit in var.limits : "${name} ${limit}" if name != "device_is_key"])}."
  }
  validation {
    condition     = var.limits.rollup_days * 24 > var.limits.lateness_hours
    error_message = "Rollups want to be kept longer than records may be late (${var.limits.lateness_hours} hours); got ${var.limits.rollup_days} days."
  }
}

variable "device_types" {
  description = "What is normal, by type of device and metric (\"*\": every metric without limits of its own); a type that is not listed is \"default\". lambdas/telemetry/thresholds.py says what each limit does, and its value when it is left out."
  type = map(object({
    silent_minutes = optional(number)
    metrics = optional(map(object({
      z                    = optional(number)
      alpha                = optional(number)
      warm_up              = optional(number)
      min_deviation        = optional(number)
      low                  = optional(number)
      high                 = optional(number)
      max_rate_per_second  = optional(number)
      stuck_after_readings = optional(number)
      stuck_tolerance      = optional(number)
      clear_after          = optional(number)
      relearn_after        = optional(number)
      skew_seconds         = optional(number)
    })), {})
  }))
  default  = { default = {} }
  nullable = false

  validation {
    condition     = contains(keys(var.device_types), "default")
    error_message = "Device types want one called \"default\", for devices of any other type; got ${join(", ", keys(var.device_types))}."
  }
  validation {
    condition = alltrue(flatten([
      for type, said in var.device_types : concat(
        [can(regex("^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$", type))],
        [for metric in keys(said.metrics) : metric == "*" || can(regex("^[a-z][a-z0-9_]{0,31}$", metric))],
      )
    ]))
    error_message = "Device types want names of at most 64 letters, digits and . _ : -, their metrics snake_case of at most 32 or \"*\"; got ${join(", ", flatten([for type, said in var.device_types : [for metric in concat([""], keys(said.metrics)) : trimsuffix("${type}/${metric}", "/")]]))}."
  }
  validation {
    condition     = alltrue([for said in values(var.device_types) : said.silent_minutes == null || try(said.silent_minutes >= 1 && floor(said.silent_minutes) == said.silent_minutes, false)])
    error_message = "A device is silent after a whole number of minutes, at least 1; got ${join(", ", [for type, said in var.device_types : "${type} ${said.silent_minutes}" if said.silent_minutes != null])}."
  }
  validation {
    condition = alltrue(flatten([for said in values(var.device_types) : [
      for limits in values(said.metrics) : [
        try(limits.low < limits.high, true),
        try(limits.z >= 3, true),
        try(limits.alpha > 0 && limits.alpha <= 1, true),
        try(limits.min_deviation > 0, true),
        try(limits.max_rate_per_second > 0, true),
        try(limits.stuck_tolerance >= 0, true),
        try(limits.skew_seconds > 0, true),
      ]
    ]]))
    error_message = "Limits want low < high, 0 < alpha <= 1, stuck_tolerance of at least 0, z of at least 3, and min_deviation, max_rate_per_second and skew_seconds above 0; got ${jsonencode({ for type, said in var.device_types : type => { for metric, limits in said.metrics : metric => { for limit, value in limits : limit => value if value != null } } })}."
  }
  validation {
    condition = alltrue(flatten([for said in values(var.device_types) : [
      for limits in values(said.metrics) : [
        for limit, least in { warm_up = 1, stuck_after_readings = 2, clear_after = 1, relearn_after = 1 } :
        try(limits[limit] >= least && floor(limits[limit]) == limits[limit], limits[limit] == null)
      ]
    ]]))
    error_message = "Counts of readings want whole numbers: warm_up, clear_after, relearn_after at least 1, stuck_after_readings at least 2; got ${jsonencode({ for type, said in var.device_types : type => { for metric, limits in said.metrics : metric => { for limit, value in limits : limit => value if value != null } } })}."
  }
}

variable "sweep_minutes" {
  description = "How often devices that fell silent are looked for."
  type        = number
  default     = 5
  nullable    = false
}

variable "raw" {
  description = "For how long raw files are kept (null: for ever), after how many days they move to infrequent access (null: never; S3 moves no file below 128 KB), and the first day that Athena looks for."
  type = object({
    infrequent_after_days = optional(number)
    expire_after_days     = optional(number)
    first_day             = optional(string, "2026-01-01")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", var.raw.first_day)) && can(timeadd("${var.raw.first_day}T00:00:00Z", "0s"))
    error_message = "The first day wants the form YYYY-MM-DD; got \"${var.raw.first_day}\"."
  }
}

variable "iot" {
  description = "Also takes what devices publish over MQTT to AWS IoT Core under this topic filter; its first \"+\" is the device. Null: records come by Kinesis alone."
  type        = object({ topic = optional(string, "millrace/+/telemetry") })
  default     = null

  validation {
    condition = var.iot == null || try(
      length(var.iot.topic) <= 256 && length(split("/", var.iot.topic)) <= 8 &&
      can(regex("^(\\+|[A-Za-z0-9_.:-]+)(/(\\+|[A-Za-z0-9_.:-]+))*(/#)?$", var.iot.topic)),
      false
    )
    error_message = "A topic filter wants at most 8 levels and 256 characters, each level letters, digits and _ . : - or a \"+\", a \"#\" only at its end; got \"${try(var.iot.topic, "null")}\"."
  }
}

variable "silence" {
  description = "Pages when the whole stream got no record for so many minutes. Null: never, since it goes off until the first device sends: set it once devices do."
  type        = object({ minutes = number })
  default     = null

  validation {
    condition     = var.silence == null || try(var.silence.minutes >= 1 && var.silence.minutes <= 1440 && floor(var.silence.minutes) == var.silence.minutes, false)
    error_message = "Silence wants 1 to 1440 whole minutes; got ${try(var.silence.minutes, 0)}."
  }
}
