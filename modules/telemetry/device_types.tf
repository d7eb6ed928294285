# What is normal for which type of device: data that running functions read again every few minutes, so a new limit needs no deployment of code.

locals {
  # A limit that is not given is left out: the code knows its default.
  device_types = {
    for type, said in var.device_types : type => merge(
      { metrics = { for metric, limits in said.metrics : metric => { for limit, value in limits : limit => value if value != null } } },
      said.silent_minutes == null ? {} : { silent_minutes = said.silent_minutes },
    )
  }
  device_types_json = jsonencode(local.device_types)
  parameter_name    = "/${var.platform.prefix}/telemetry/device-types"
}

resource "aws_ssm_parameter" "device_types" {
  name           = local.parameter_name
  description    = "What is normal for which type of device."
  type           = "String"
  tier           = length(local.device_types_json) > 4096 ? "Advanced" : "Standard"
  insecure_value = local.device_types_json # no secret: a plan should show which limit changes

  lifecycle {
    precondition {
      condition     = length(local.device_types_json) <= 8192
      error_message = "Device types want at most 8192 bytes as JSON, which is what a parameter holds; got ${length(local.device_types_json)} in ${length(var.device_types)} types."
    }
  }
}

data "aws_iam_policy_document" "read_device_types" {
  statement {
    sid       = "ReadDeviceTypes"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${var.platform.partition}:ssm:${var.platform.region}:${var.platform.account_id}:parameter${local.parameter_name}"]
  }
}
