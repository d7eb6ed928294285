# The part of the shared ground that a bucket needs; whoever has the whole platform passes that.

variable "platform" {
  description = "Names, account, encryption and safety of the environment. Root makes it; modules pass it on unchanged."
  nullable    = false

  type = object({
    prefix     = string # "<project>-<environment>", the start of every name
    account_id = string
    partition  = string

    kms = optional(object({ key_arn = string })) # null: keys owned by AWS
    data = object({
      protect         = bool # refuse to destroy a bucket that holds objects
      noncurrent_days = number
      plain_http      = optional(bool, false) # it answers plain HTTP, too: a local AWS has no certificate
    })
  })
}
