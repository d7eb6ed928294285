# What the function may do beyond its table.

data "aws_iam_policy_document" "read_api_key" {
  statement {
    sid       = "ReadApiKey"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.api_key.arn]
  }
}
