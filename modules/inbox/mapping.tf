# The function reads the queue in batches and answers which messages failed, so that one bad message never repeats its neighbours.

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn                   = "${local.arn_prefix}:${aws_sqs_queue.this.name}"
  function_name                      = var.function.name
  batch_size                         = var.batch.size
  maximum_batching_window_in_seconds = var.batch.window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    # Pollers beyond it would throttle, and each throttle counts as a receive.
    maximum_concurrency = min(var.batch.max_concurrency, coalesce(var.platform.runtime.inbox_concurrency, var.batch.max_concurrency))
  }

  # Lambda checks the role's permission to read when the mapping is made.
  depends_on = [aws_iam_role_policy.read_inbox]
}
