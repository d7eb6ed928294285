# The one function: it judges orders by the ruleset, and remembers declined payments.

locals {
  ruleset = jsonencode({
    version   = var.ruleset.version
    threshold = var.ruleset.threshold
    rules = [
      for id, rule in var.ruleset.rules : {
        id     = id
        points = rule.points
        mode   = rule.mode
        when   = [for condition in rule.when : { for key, value in condition : key => value if value != null }]
      }
    ]
  })
}

module "assess_order" {
  source = "../lambda-function"

  name        = "assess-order"
  description = "Judges placed orders by the fraud rules, and counts declined payments."
  platform    = var.platform
  code        = { service = "fraud", module = "assess_order" }

  environment = {
    ASSESSMENTS_TABLE = module.assessments.name
    FRAUD_RULESET     = local.ruleset
  }
  resources = { memory_mb = var.function.memory_mb }
  policies = {
    use-assessments = module.assessments.policies.assess-order
  }
}
