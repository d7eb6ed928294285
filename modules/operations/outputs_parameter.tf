# Where the command line finds what root made: no Terraform, no provider and no state is needed to look after an environment.

locals {
  parameter = "/${var.stack.prefix}/outputs"
}

resource "aws_ssm_parameter" "outputs" {
  name        = local.parameter
  description = "What Terraform made of ${var.stack.prefix}, for the command line: JSON, gzipped, in base64."
  type        = "String"
  tier        = "Intelligent-Tiering" # 4 KB for nothing, 8 KB for cents
  value       = base64gzip(var.outputs)
}
