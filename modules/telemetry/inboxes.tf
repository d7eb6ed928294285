# The time to look for silent devices comes by a schedule.

module "sweep_devices_inbox" {
  source = "../inbox"

  name     = "sweep-devices"
  platform = var.platform
  function = module.sweep_devices

  schedules = {
    sweep-devices = {
      event       = "device-sweep.due"
      minutes     = var.sweep_minutes
      description = "Asks for devices that fell silent to be announced."
    }
  }

  batch = { size = 1, max_concurrency = 2 }
}
