# One customer managed key for everything the environment stores.

resource "aws_kms_key" "this" {
  description             = "Encrypts the queues, tables, buckets, logs and alarms of ${var.prefix}."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.prefix}"
  target_key_id = aws_kms_key.this.key_id
}
