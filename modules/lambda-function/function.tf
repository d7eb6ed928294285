# The function itself and the zip it runs.

locals {
  full_name = "${var.platform.prefix}-${var.name}"
  zip       = "${var.platform.artifacts.directory}/${var.code.service}.zip"
  has_zip   = fileexists(local.zip)
  # Keyed by name and content: a changed zip is a new object, and the running function keeps the old one until it has the new.
  object_key = local.has_zip ? "${local.full_name}/${filesha256(local.zip)}.zip" : null

  # `millrace build` writes beside each zip what it was built for; a zip made otherwise has no record and is taken as it is.
  record    = "${var.platform.artifacts.directory}/${var.code.service}.json"
  runs_on   = var.platform.aws_only_features ? "${var.platform.runtime.python}/${var.platform.runtime.architecture}" : "local"
  built_for = try(jsondecode(file(local.record)).target, local.runs_on)
}

resource "aws_s3_object" "zip" {
  count = var.platform.artifacts.bucket == null ? 0 : 1

  bucket = var.platform.artifacts.bucket.name
  key    = local.object_key
  source = local.zip

  lifecycle {
    create_before_destroy = true # the running function keeps its zip until the new one is in place
  }
}

resource "aws_lambda_function" "this" {
  function_name = local.full_name
  description   = var.description
  role          = aws_iam_role.this.arn

  runtime       = var.platform.runtime.python
  architectures = [var.platform.runtime.architecture]
  handler       = "lambdas.${var.code.service}.${var.code.module}.handler"

  filename         = var.platform.artifacts.bucket == null ? local.zip : null
  s3_bucket        = one(aws_s3_object.zip[*].bucket)
  s3_key           = one(aws_s3_object.zip[*].key)
  source_code_hash = local.has_zip ? filebase64sha256(local.zip) : null

  memory_size                    = var.resources.memory_mb
  timeout                        = var.resources.timeout_seconds
  reserved_concurrent_executions = coalesce(var.resources.reserved_concurrency, -1)
  kms_key_arn                    = try(var.platform.kms.key_arn, null)

  ephemeral_storage {
    size = var.resources.disk_mb
  }

  environment {
    variables = merge(
      {
        POWERTOOLS_SERVICE_NAME      = coalesce(var.code.signs_as, replace(var.code.service, "_", "-"))
        POWERTOOLS_METRICS_NAMESPACE = var.platform.project
        POWERTOOLS_LOG_LEVEL         = var.platform.logs.level
      },
      var.platform.runtime.tracing ? {} : { POWERTOOLS_TRACE_DISABLED = "true" },
      var.platform.runtime.environment,
      var.environment,
    )
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
    # What bears no level counts as INFO to Lambda, metrics and the runtime's own crash lines too: a filter above it would
    # drop them. `logs.level` beyond it is the code's own.
    application_log_level = var.platform.logs.level == "DEBUG" ? "DEBUG" : "INFO"
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = var.platform.runtime.tracing ? "Active" : "PassThrough"
  }

  lifecycle {
    precondition {
      condition     = local.has_zip
      error_message = "The zip of service \"${var.code.service}\" is not at ${local.zip}: run `make build` first."
    }
    precondition {
      condition     = local.built_for == local.runs_on
      error_message = "The zip of service \"${var.code.service}\" must be built for ${local.runs_on}; ${local.zip} was built for ${local.built_for}, where its libraries would not load here. Set both by the environment's target.json, and run `make build`."
    }
  }

  # Without its permissions the first invocation would log and trace nothing.
  depends_on = [aws_iam_role_policy.this]
}
