# Who may do what with the bucket: nobody over plain HTTP, and functions by the documents handed out in `policies`.

locals {
  # Built from the name, which is known at plan time, so that every policy can be read in the plan.
  arn = "arn:${var.platform.partition}:s3:::${aws_s3_bucket.this.bucket}"
}

data "aws_iam_policy_document" "refuse_plain_http" {
  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"] # a refusal may be wide
    resources = [local.arn, "${local.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count  = var.platform.data.plain_http ? 0 : 1
  bucket = aws_s3_bucket.this.bucket
  policy = data.aws_iam_policy_document.refuse_plain_http.json

  # S3 answers "conflicting operation" when both are set at once.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_iam_policy_document" "read_objects" {
  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.arn}/*"]
  }
  statement {
    # Without it S3 answers "access denied" for an object that is not there.
    sid       = "TellMissingFromForbidden"
    actions   = ["s3:ListBucket"]
    resources = [local.arn]
  }
}

data "aws_iam_policy_document" "write_objects" {
  statement {
    sid       = "WriteObjects"
    actions   = ["s3:PutObject"]
    resources = ["${local.arn}/*"]
  }
}
