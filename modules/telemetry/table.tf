# One item per device with all that the next batch needs of it; beside it rollups, anomalies, and the events that tell of them.

module "telemetry" {
  source = "../outbox-table"

  name     = "telemetry"
  platform = var.platform
  bus      = var.bus

  emits = {
    for type in ["anomaly.detected.v1", "device.registered.v1"] : type => { source = "millrace.telemetry" }
  }

  indexes = {
    # Sparse: only devices carry `watch`, one of sixteen shards. Keys alone, since the item itself changes with every batch.
    by-silence = { hash = { name = "watch" }, range = { name = "seen" }, keys_only = true }
    # Sparse: only anomalies carry a day.
    by-day = { hash = { name = "day" }, range = { name = "at" } }
  }

  access = {
    ingest-telemetry = {
      items = {
        BatchGetItem = ["device#*", "rollup#*"]
        GetItem      = ["device#*"]
        PutItem      = ["device#*", "devices", "rollup#*"]
        UpdateItem   = ["device#*"]
      }
    }
    sweep-devices = {
      items = {
        BatchGetItem = ["device#*"]
        PutItem      = ["device#*"]
      }
      indexes = ["by-silence"]
    }
    read-telemetry = {
      items = {
        BatchGetItem = ["device#*"]
        GetItem      = ["device#*"]
        Query        = ["device#*", "devices", "rollup#*"]
      }
      indexes = ["by-day"]
    }
  }
}
