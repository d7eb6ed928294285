# The ledger: which e-mail is being sent by whom, and which are sent. It holds no address.

module "notifications" {
  source = "../outbox-table"

  name     = "notifications"
  platform = var.platform
  bus      = var.bus

  emits = { "notification.sent.v1" = { source = "millrace.notification" } }

  access = {
    notify = {
      items = {
        GetItem = ["notification/*"]
        PutItem = ["notification/*"]
      }
    }
  }
}
