variable "project" {
  description = "The start of every name and the namespace of every metric."
  type        = string
  default     = "millrace"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,13}$", var.project)) && !endswith(var.project, "-")
    error_message = "A project wants a name in kebab case of at most 14 characters, which leaves room in AWS's own limits; got \"${var.project}\" (${length(var.project)})."
  }
  validation {
    condition     = !can(regex("^(aws|ssm)", var.project))
    error_message = "A project wants a name that does not begin with \"aws\" or \"ssm\", since parameters are named after it and those belong to AWS; got \"${var.project}\"."
  }
}

variable "environment" {
  description = "The second part of every name: the same account can hold several environments."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,7}$", var.environment))
    error_message = "An environment wants a name of at most 8 lower-case letters and digits; got \"${var.environment}\" (${length(var.environment)})."
  }
}

variable "account" {
  description = "The account to build in, given rather than looked up, so that a plan needs no network; and who works on the stack by hand, as patterns of ARNs: beside the stack itself only these operators may put events on the bus in a service's name (`millrace replay outbox`) or messages into an inbox (`millrace dlq redrive`). The account's root always may. By default operators are the account's IAM users and whoever comes from IAM Identity Center; name the roles that people assume."
  type = object({
    id        = string
    region    = string
    partition = optional(string, "aws")
    operators = optional(list(string))
  })
  nullable = false

  validation {
    condition     = alltrue([for arn in coalesce(var.account.operators, []) : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(user|role)/.", arn))])
    error_message = "Operators must be ARNs of users or roles, such as arn:aws:iam::${var.account.id}:role/operator; got [${join(", ", coalesce(var.account.operators, []))}]."
  }

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account.id))
    error_message = "An account id wants 12 digits; got \"${var.account.id}\"."
  }
}

variable "capabilities" {
  description = "What to build: \"images\" (renditions of uploaded pictures), \"shop\" (catalog, basket, orders, stock, fraud check, payment, e-mails), \"telemetry\" (what devices send: rollups, anomalies, raw files). The HTTP API comes with either of the last two. Default: all."
  type        = set(string)
  default     = ["images", "shop", "telemetry"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.capabilities, ["images", "shop", "telemetry"])) == 0
    error_message = "Capabilities want a subset of: images, shop, telemetry; got [${join(", ", var.capabilities)}]."
  }
}

variable "artifacts" {
  description = "Where the zips made by `make build` are, and the bucket to upload them through (null: directly, which AWS allows up to 50 MB)."
  type = object({
    directory = string
    bucket    = optional(object({ name = string }))
  })
  nullable = false
}

variable "runtime" {
  description = "What functions run on (the target that `millrace build` built the zips for: a zip of another one is refused), whether they are traced, variables that all of them get, and the most batches that any inbox has worked on at once (null: each inbox as it says)."
  type = object({
    python       = optional(string, "python3.13")
    architecture = optional(string, "arm64")
    tracing      = optional(bool, true)
    environment  = optional(map(string), {})

    inbox_concurrency = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["python3.11", "python3.12", "python3.13", "python3.14"], var.runtime.python)
    error_message = "A Python must be python3.11, python3.12, python3.13 or python3.14 (from hashicorp/aws 6.20), the one the zips are built for; got \"${var.runtime.python}\"."
  }
  validation {
    condition     = contains(["arm64", "x86_64"], var.runtime.architecture)
    error_message = "An architecture must be arm64 or x86_64, the one the zips are built for; got \"${var.runtime.architecture}\"."
  }
}

variable "logs" {
  description = "The least level that functions log, and for how many days lines are kept."
  type = object({
    level          = optional(string, "INFO")
    retention_days = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.logs.level)
    error_message = "A log level wants DEBUG, INFO, WARN or ERROR; got \"${var.logs.level}\"."
  }
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days)
    error_message = "Log retention wants a number of days that CloudWatch knows (1, 3, 5, 7, 14, 30, 60, 90, ... 3653); got ${var.logs.retention_days}."
  }
}

variable "alarms" {
  description = "Who is mailed the pages, by a name for each of them (none: nobody), and the runbook that an alarm's text links."
  type = object({
    emails      = optional(map(string), {})
    runbook_url = optional(string, "docs/operations.md")
  })
  default  = {}
  nullable = false
}

variable "data" {
  description = "How data is guarded: deletion protection, point-in-time recovery, a key of your own, days of events kept for replay, days that overwritten uploads are kept, and whether buckets and queues answer plain HTTP, too: all that a local AWS speaks, where enforced policies would else refuse Terraform itself."
  type = object({
    protect                = optional(bool, true)
    point_in_time_recovery = optional(bool, true)
    customer_managed_key   = optional(bool, false)
    archive_days           = optional(number, 30)
    noncurrent_days        = optional(number, 30)
    plain_http             = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.data.archive_days >= 1 && var.data.noncurrent_days >= 1
    error_message = "Archive and old versions want at least 1 day; got ${var.data.archive_days} and ${var.data.noncurrent_days}."
  }
  validation {
    condition     = !var.data.plain_http || var.environment == "local"
    error_message = "Plain HTTP wants the environment local; got \"${var.environment}\", whose data would travel unencrypted."
  }
}

variable "images" {
  description = "The capability \"images\": the profile of its renditions and the size of its function (see modules/image-pipeline)."
  type = object({
    profile = optional(object({
      widths = optional(list(number))
      formats = optional(map(object({
        quality = number
        effort  = optional(number)
      })))
      background = optional(string)
      limits = optional(object({
        max_bytes         = optional(number)
        max_pixels        = optional(number)
        max_frames        = optional(number)
        max_decoded_bytes = optional(number)
      }))
    }), {})
    function = optional(object({
      memory_mb       = optional(number)
      timeout_seconds = optional(number)
      max_concurrency = optional(number)
    }), {})
  })
  default  = {}
  nullable = false
}

variable "aws_only_features" {
  description = "Makes what only AWS itself has: everything that pages, most alarms, dashboards, saved queries, metrics of mappings, the X-Ray group, the schema registry, the Glue table, and the rule that e-mails travel by TLS. Off for a local AWS only."
  type        = bool
  default     = true
  nullable    = false
}

variable "api" {
  description = "The HTTP API: who may call it, from which web pages, and its host name (see modules/http-api); `address` says where functions reach an API whose own host name is not in DNS, as a format with %s for its id."
  type = object({
    issuer = optional(object({ url = string, audience = set(string) }))
    users = optional(object({
      self_sign_up    = optional(bool)
      token_minutes   = optional(number)
      operator_tokens = optional(bool)
    }), {})
    cors    = optional(object({ origins = optional(set(string)), max_age_seconds = optional(number) }), {})
    domain  = optional(object({ name = string, certificate_arn = string }))
    address = optional(string)
  })
  default  = {}
  nullable = false
}

variable "shop" {
  description = "The capability \"shop\": who moves the money (a gateway, or the sandbox that moves none; never both), who e-mails come from, minutes until an unfinished order is cancelled, and what looks like fraud (see modules/fraud)."
  type = object({
    gateway = optional(object({ url = string, secret_arn = string }))
    sandbox = optional(object({
      failure_rate  = optional(number)
      stall_seconds = optional(number)
    }))
    sender = optional(object({ address = string, identity = optional(string), register = optional(string) }))
    time_out = optional(object({
      order_minutes = optional(number)
      sweep_minutes = optional(number)
    }), {})
    ruleset = optional(object({
      version   = string
      threshold = number
      rules = map(object({
        points = number
        mode   = optional(string)
        when   = list(object({ field = string, op = string, value = optional(number), values = optional(list(string)) }))
      }))
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = !contains(var.capabilities, "shop") || (var.shop.gateway == null) != (var.shop.sandbox == null)
    error_message = "A shop wants either a payment gateway or the sandbox; got ${var.shop.gateway == null ? "neither" : "both"}."
  }
  validation {
    condition     = var.shop.sandbox == null || contains(["local", "dev"], var.environment)
    error_message = "The sandbox moves no money: it is for local and dev; got it in \"${var.environment}\"."
  }
  validation {
    condition     = !contains(var.capabilities, "shop") || var.shop.sender != null
    error_message = "A shop wants the sender of its e-mails (sender.address); got none."
  }
}

variable "telemetry" {
  description = "The capability \"telemetry\": the stream that devices write to, how records are taken in, what is refused or kept, what is normal for which type of device, MQTT, and after how many minutes without any record somebody is paged (null: never; set it once devices send; see modules/telemetry)."
  type = object({
    stream = optional(object({
      shards          = optional(number)
      retention_hours = optional(number)
    }), {})
    ingest = optional(object({
      batch_size      = optional(number)
      window_seconds  = optional(number)
      parallelization = optional(number)
      memory_mb       = optional(number)
      timeout_seconds = optional(number)
    }), {})
    limits = optional(object({
      lateness_hours = optional(number)
      future_seconds = optional(number)
      rollup_days    = optional(number)
      silent_minutes = optional(number)
      device_is_key  = optional(bool)
    }), {})
    device_types = optional(map(object({
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
      })))
    })))
    sweep_minutes = optional(number)
    raw = optional(object({
      infrequent_after_days = optional(number)
      expire_after_days     = optional(number)
      first_day             = optional(string)
    }), {})
    iot     = optional(object({ topic = optional(string) }))
    silence = optional(object({ minutes = number }))
  })
  default  = {}
  nullable = false
}
