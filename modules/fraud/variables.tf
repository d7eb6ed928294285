variable "bus" {
  description = "The bus that orders and declined payments come from and verdicts are announced on, and the bucket that keeps what could not be published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "ruleset" {
  description = "What looks like fraud: an order is flagged when the points of the live rules that apply to it reach the threshold. A rule applies when all of its conditions hold; one in mode \"shadow\" is told in the event but not counted. A condition compares a number with `value` (lt, lte, gt, gte, eq), or any fact with the list `values` (in). Give every change a new version: each verdict names it."
  type = object({
    version   = string
    threshold = number
    rules = map(object({
      points = number
      mode   = optional(string, "live")
      when = list(object({
        field  = string
        op     = string
        value  = optional(number)
        values = optional(list(string))
      }))
    }))
  })
  nullable = false

  # Amounts count the minor unit: 500000 are 5,000.00.
  default = {
    version   = "default-1"
    threshold = 80
    rules = {
      dear-order           = { points = 40, when = [{ field = "order.total", op = "gte", value = 500000 }] }
      very-dear-order      = { points = 40, when = [{ field = "order.total", op = "gte", value = 2000000 }] }
      bulk-of-one-product  = { points = 30, when = [{ field = "order.max_quantity", op = "gte", value = 100 }] }
      many-orders-an-hour  = { points = 50, when = [{ field = "customer.orders_1h", op = "gte", value = 6 }] }
      many-orders-a-day    = { points = 40, when = [{ field = "customer.orders_24h", op = "gte", value = 20 }] }
      much-spent-in-a-day  = { points = 40, when = [{ field = "customer.amount_24h", op = "gte", value = 1000000 }] }
      declined-repeatedly  = { points = 50, when = [{ field = "customer.declines_24h", op = "gte", value = 3 }] }
      token-in-many-hands  = { points = 40, when = [{ field = "token.customers_24h", op = "gte", value = 3 }] }
      dear-order-by-night  = { points = 20, mode = "shadow", when = [{ field = "order.hour", op = "lt", value = 5 }, { field = "order.total", op = "gte", value = 100000 }] }
      declined-then-dearer = { points = 30, mode = "shadow", when = [{ field = "customer.declines_24h", op = "gte", value = 1 }, { field = "order.total", op = "gte", value = 100000 }] }
    }
  }

  validation {
    condition     = length(var.ruleset.version) >= 1 && length(var.ruleset.version) <= 64
    error_message = "A ruleset's version wants 1 to 64 characters; got \"${var.ruleset.version}\"."
  }
  validation {
    condition     = var.ruleset.threshold >= 1 && floor(var.ruleset.threshold) == var.ruleset.threshold
    error_message = "A threshold wants a whole number, at least 1; got ${var.ruleset.threshold}."
  }
  validation {
    condition     = alltrue([for id in keys(var.ruleset.rules) : can(regex("^[a-z0-9-]{1,64}$", id))])
    error_message = "A rule's name wants kebab case of at most 64 characters; got ${join(", ", keys(var.ruleset.rules))}."
  }
  validation {
    condition     = alltrue([for rule in values(var.ruleset.rules) : rule.points >= 1 && rule.points <= 1000 && floor(rule.points) == rule.points])
    error_message = "A rule wants 1 to 1000 whole points; got ${join(", ", [for id, rule in var.ruleset.rules : "${id} ${rule.points}"])}."
  }
  validation {
    condition     = alltrue([for rule in values(var.ruleset.rules) : contains(["live", "shadow"], rule.mode)])
    error_message = "A rule's mode wants live or shadow; got ${join(", ", [for id, rule in var.ruleset.rules : "${id} ${rule.mode}"])}."
  }
  validation {
    condition     = alltrue([for rule in values(var.ruleset.rules) : length(rule.when) >= 1 && length(rule.when) <= 8])
    error_message = "A rule wants 1 to 8 conditions; got ${join(", ", [for id, rule in var.ruleset.rules : "${id} ${length(rule.when)}"])}."
  }
  validation {
    condition = alltrue(flatten([
      for rule in values(var.ruleset.rules) : [
        for condition in rule.when : contains([
          "order.total", "order.lines", "order.pieces", "order.max_quantity", "order.hour", "order.currency", "order.email_domain",
          "customer.orders_1h", "customer.orders_24h", "customer.amount_24h", "customer.declines_24h", "token.customers_24h",
        ], condition.field)
      ]
    ]))
    error_message = "A condition wants a field that is known of every order (see the README); got ${join(", ", distinct(flatten([for rule in values(var.ruleset.rules) : rule.when[*].field])))}."
  }
  validation {
    condition = alltrue(flatten([
      for rule in values(var.ruleset.rules) : [
        for condition in rule.when :
        condition.op == "in"
        ? condition.values != null && condition.value == null
        : contains(["lt", "lte", "gt", "gte", "eq"], condition.op) && condition.value != null && condition.values == null && !contains(["order.currency", "order.email_domain"], condition.field)
      ]
    ]))
    error_message = "A condition wants `in` with `values`, or lt, lte, gt, gte, eq on a number with `value`; got ${join(", ", flatten([for id, rule in var.ruleset.rules : [for condition in rule.when : "${id}: ${condition.field} ${condition.op}"]]))}."
  }
  validation {
    condition     = alltrue(flatten([for rule in values(var.ruleset.rules) : [for condition in rule.when : floor(coalesce(condition.value, 0)) == coalesce(condition.value, 0)]]))
    error_message = "A condition's value wants a whole number; got ${join(", ", flatten([for id, rule in var.ruleset.rules : [for condition in rule.when : "${id} ${condition.value}" if condition.value != null]]))}."
  }
  validation {
    # Lambda takes 4 KB of variables altogether.
    condition     = length(jsonencode(var.ruleset)) <= 3500
    error_message = "A ruleset wants at most 3500 characters of JSON, which is what fits in a function's environment; got ${length(jsonencode(var.ruleset))}."
  }
}

variable "function" {
  description = "Memory of the function, which also buys its speed (1769 MB are one full CPU), and how many batches of orders are judged at once at most."
  type = object({
    memory_mb       = optional(number, 512)
    max_concurrency = optional(number, 10)
  })
  default  = {}
  nullable = false
}
