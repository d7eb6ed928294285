# What the function may do beyond its table.

data "aws_iam_policy_document" "read_gateway_key" {
  statement {
    sid       = "ReadGatewayKey"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.gateway.secret_arn]
  }
}
