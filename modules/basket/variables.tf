variable "bus" {
  description = "The bus that news of products come from and check-outs are announced on, and the bucket that keeps what could not be published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "abandonment" {
  description = "A filled basket that nobody touched for `idle_minutes` is announced as abandoned, once for each version of it; the sweep looks for such baskets every `sweep_minutes`."
  type = object({
    idle_minutes  = optional(number, 1440)
    sweep_minutes = optional(number, 15)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.abandonment.idle_minutes >= 1 && floor(var.abandonment.idle_minutes) == var.abandonment.idle_minutes
    error_message = "A basket wants to be idle for a whole number of minutes, at least 1; got ${var.abandonment.idle_minutes}."
  }
  validation {
    condition     = var.abandonment.sweep_minutes >= 1 && floor(var.abandonment.sweep_minutes) == var.abandonment.sweep_minutes
    error_message = "Sweeps want a whole number of minutes between them, at least 1; got ${var.abandonment.sweep_minutes}."
  }
}

variable "function" {
  description = "Memory of the API's function, which also buys its speed (1769 MB are one full CPU), and how many batches of the catalog's news are worked on at once at most."
  type = object({
    memory_mb             = optional(number, 512)
    replicate_concurrency = optional(number, 5)
  })
  default  = {}
  nullable = false
}
