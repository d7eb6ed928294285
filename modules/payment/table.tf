# One state item per order: what was asked of the gateway and what came of it, and the events that tell of it.

module "payments" {
  source = "../outbox-table"

  name     = "payments"
  platform = var.platform
  bus      = var.bus

  emits = {
    for type in ["payment.captured.v1", "payment.declined.v2", "payment.refunded.v1"] :
    type => { source = "millrace.payment" }
  }

  access = {
    take-payment = {
      items = {
        GetItem = ["order/*"]
        PutItem = ["order/*"]
      }
    }
  }
}
