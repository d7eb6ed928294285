variable "bus" {
  description = "The bus that facts come from and orders are announced on, and the bucket that keeps what could not be published or projected."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "time_out" {
  description = "An order that is neither confirmed nor cancelled after so many minutes is cancelled; the sweep looks for such orders every `sweep_minutes`."
  type = object({
    order_minutes = optional(number, 30)
    sweep_minutes = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.time_out.order_minutes >= 1 && var.time_out.order_minutes <= 7 * 24 * 60
    error_message = "An order's time-out wants 1 minute to 7 days (10080 minutes); got ${var.time_out.order_minutes}."
  }
  validation {
    condition     = var.time_out.sweep_minutes >= 1 && floor(var.time_out.sweep_minutes) == var.time_out.sweep_minutes
    error_message = "Sweeps want a whole number of minutes between them, at least 1; got ${var.time_out.sweep_minutes}."
  }
}

variable "concurrency" {
  description = "How many batches of facts are worked on at once at most, and how many workers read each shard of the stream for the read side (more than one may take two events of an order in the wrong order, and then reads the order's events anew)."
  type = object({
    advance_order  = optional(number, 10)
    project_orders = optional(number, 1)
  })
  default  = {}
  nullable = false
}
