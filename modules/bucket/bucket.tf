# A private bucket: encrypted, closed to the public and to plain HTTP, and without forgotten uploads.

resource "aws_s3_bucket" "this" {
  bucket        = "${var.platform.prefix}-${var.name}-${var.platform.account_id}"
  force_destroy = !var.platform.data.protect
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    bucket_key_enabled = var.platform.kms != null # one call to KMS per bucket and hour instead of per object

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.platform.kms == null ? "AES256" : "aws:kms"
      kms_master_key_id = try(var.platform.kms.key_arn, null)
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  count  = var.versioned ? 1 : 0
  bucket = aws_s3_bucket.this.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_notification" "this" {
  count  = var.announces_objects ? 1 : 0
  bucket = aws_s3_bucket.this.bucket

  eventbridge = true
}
