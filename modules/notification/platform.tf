# What root computes once and hands to every module; this file is the same in each that takes it whole (a test holds it so).

variable "platform" {
  description = "The shared ground of one environment: names, account, artifacts, runtime, logs, encryption, alarms and safety. Root makes it; modules pass it on unchanged."
  nullable    = false

  type = object({
    project     = string
    environment = string
    prefix      = string # "<project>-<environment>", the start of every name
    region      = string
    account_id  = string # an input, not a data source, so that a plan needs no network
    partition   = string

    artifacts = object({
      directory = string                              # holds <service>.zip, made by `make build`
      bucket    = optional(object({ name = string })) # uploads the zips through S3 when set
    })
    runtime = object({
      python       = string
      architecture = string
      tracing      = bool
      environment  = map(string) # variables added to every function

      inbox_concurrency = optional(number) # no inbox has more batches worked on at once; null: each as it says
    })
    logs = object({
      level          = string
      retention_days = number
    })
    kms = optional(object({ key_arn = string })) # null: keys owned by AWS
    alarms = object({
      topic_arn   = string
      runbook_url = string
    })
    data = object({
      protect                = bool # deletion protection on, and buckets that refuse to be destroyed while they hold objects
      point_in_time_recovery = bool
      archive_days           = number
      noncurrent_days        = number
      plain_http             = optional(bool, false) # buckets and queues answer it, too: a local AWS has no certificate
    })
    operators         = list(string) # ARN patterns of who works on the stack by hand: they may stand in for a service
    aws_only_features = bool         # X-Ray groups, schema registry: what a local AWS lacks
  })
}
