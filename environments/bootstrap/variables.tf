variable "project" {
  description = "The start of every name; the same as root's."
  type        = string
  default     = "millrace"
  nullable    = false
}

variable "environment" {
  description = "The environment that the buckets are for: dev, staging or prod."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The account to make the buckets in; credentials of another are refused."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id wants 12 digits; got \"${var.account_id}\"."
  }
}

variable "region" {
  description = "The region to make the buckets in; the same as the environment's."
  type        = string
  default     = "eu-central-1"
  nullable    = false
}

variable "partition" {
  description = "The AWS partition: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
  nullable    = false
}
