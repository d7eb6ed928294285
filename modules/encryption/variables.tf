variable "prefix" {
  description = "The start of every name; the key serves only what bears it."
  type        = string
  nullable    = false
}

variable "account" {
  description = "The account, region and partition that the key serves."
  type = object({
    id        = string
    region    = string
    partition = string
  })
  nullable = false
}
