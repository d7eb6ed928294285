# Where streams leave the records they could not process, with their payload.

module "quarantine" {
  source = "../bucket"

  name              = "quarantine"
  platform          = var.platform
  expire_after_days = 90 # long enough to mend and replay, short enough for personal data
}
