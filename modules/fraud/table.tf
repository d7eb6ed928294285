# Assessments by order with the events that tell of them, and the velocity counters, which fade after three days.

module "assessments" {
  source = "../outbox-table"

  name     = "assessments"
  platform = var.platform
  bus      = var.bus

  emits = {
    for type in ["fraud.cleared.v1", "fraud.flagged.v1"] : type => { source = "millrace.fraud" }
  }

  access = {
    assess-order = {
      items = {
        GetItem    = ["order/*"]
        PutItem    = ["order/*", "velocity/*"]
        UpdateItem = ["velocity/*"]
        Query      = ["velocity/*"]
      }
    }
  }
}
