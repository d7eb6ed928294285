# The one function: it sends the e-mail that an event asks for, once.

module "notify" {
  source = "../lambda-function"

  name        = "notify"
  description = "Writes to customers about their orders."
  platform    = var.platform
  code        = { service = "notification", module = "notify" }

  environment = merge(
    {
      NOTIFICATIONS_TABLE = module.notifications.name
      SENDER              = var.sender.address
      TEMPLATE_PREFIX     = local.template_prefix
    },
    { for set in aws_sesv2_configuration_set.this : "CONFIGURATION_SET" => set.configuration_set_name },
  )
  resources = {
    memory_mb       = var.function.memory_mb
    timeout_seconds = 60 # below the lease of 120 s that a sender holds on its e-mail
  }
  policies = {
    use-notifications = module.notifications.policies.notify
    send-mail         = data.aws_iam_policy_document.send_mail.json
  }
}
