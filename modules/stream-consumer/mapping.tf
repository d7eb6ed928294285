# The one function that reads the stream: batches in the order of their shard, retries until its records are old, and a bucket for what fails for good.

locals {
  give_up_seconds = coalesce(var.give_up_seconds, min(604800, var.stream.retention_hours * 3600) - 3600)
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn  = var.stream.arn
  function_name     = var.function.name
  starting_position = var.starting_position

  batch_size                         = var.batch.size
  maximum_batching_window_in_seconds = var.batch.window_seconds
  parallelization_factor             = var.batch.parallelization

  # A failing batch is halved until the record that fails is alone: it must not take its neighbours to quarantine.
  bisect_batch_on_function_error = true
  # Age alone is the limit: how fast AWS tries again nobody promises, so a number of tries may be over in minutes.
  maximum_retry_attempts        = -1
  maximum_record_age_in_seconds = local.give_up_seconds

  dynamic "filter_criteria" {
    for_each = var.pattern == null ? [] : [var.pattern]

    content {
      filter {
        pattern = filter_criteria.value
      }
    }
  }

  destination_config {
    on_failure {
      # S3 keeps the records themselves; a queue would keep only their positions in a stream that forgets.
      destination_arn = local.quarantine_arn
    }
  }

  dynamic "metrics_config" {
    for_each = var.platform.aws_only_features ? ["EventCount"] : []

    content {
      metrics = [metrics_config.value]
    }
  }

  # Lambda checks the role's permission to read when the mapping is made.
  depends_on = [aws_iam_role_policy.read_stream, aws_iam_role_policy.keep_quarantine]
}
