# What takes telemetry in, what notices devices that fell silent, what answers questions about both.

locals {
  limits = merge(var.limits, { device_is_key = coalesce(var.limits.device_is_key, var.iot != null) })
}

module "ingest_telemetry" {
  source = "../lambda-function"

  name        = "ingest-telemetry"
  description = "Makes rollups, anomalies and raw files of what devices send."
  platform    = var.platform
  code        = { service = "telemetry", module = "ingest_telemetry" }

  environment = {
    TELEMETRY_TABLE        = module.telemetry.name
    RAW_BUCKET             = module.raw.name
    QUARANTINE_BUCKET      = var.bus.quarantine_name
    DEVICE_TYPES_PARAMETER = aws_ssm_parameter.device_types.name
    INGEST_LIMITS          = jsonencode(local.limits)
  }
  resources = {
    memory_mb       = var.ingest.memory_mb
    timeout_seconds = var.ingest.timeout_seconds
  }
  policies = {
    use-telemetry     = module.telemetry.policies.ingest-telemetry
    write-raw         = module.raw.policies.write
    read-device-types = data.aws_iam_policy_document.read_device_types.json
  }
}

module "sweep_devices" {
  source = "../lambda-function"

  name        = "sweep-devices"
  description = "Announces the devices that fell silent."
  platform    = var.platform
  code        = { service = "telemetry", module = "sweep_devices" }

  environment = {
    TELEMETRY_TABLE        = module.telemetry.name
    DEVICE_TYPES_PARAMETER = aws_ssm_parameter.device_types.name
    INGEST_LIMITS          = jsonencode(local.limits)
  }
  resources = { timeout_seconds = 120 }
  policies = {
    use-telemetry     = module.telemetry.policies.sweep-devices
    read-device-types = data.aws_iam_policy_document.read_device_types.json
  }
}

module "read_telemetry" {
  source = "../lambda-function"

  name        = "read-telemetry"
  description = "Shows devices, their rollups and their anomalies."
  platform    = var.platform
  code        = { service = "telemetry", module = "read_telemetry" }

  environment = {
    TELEMETRY_TABLE        = module.telemetry.name
    DEVICE_TYPES_PARAMETER = aws_ssm_parameter.device_types.name
  }
  resources = { memory_mb = 512 }
  policies = {
    use-telemetry     = module.telemetry.policies.read-telemetry
    read-device-types = data.aws_iam_policy_document.read_device_types.json
  }
}
