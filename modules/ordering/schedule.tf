# Every few minutes a message in the sweep's inbox; what cannot be delivered ends in that inbox's dead-letter queue.

resource "aws_scheduler_schedule" "sweep_orders" {
  name        = "${var.platform.prefix}-sweep-orders"
  description = "Asks for orders that have waited too long to be cancelled."

  schedule_expression = "rate(${var.time_out.sweep_minutes} ${var.time_out.sweep_minutes == 1 ? "minute" : "minutes"})"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.sweep_orders_inbox.arn
    role_arn = aws_iam_role.sweep_schedule.arn

    # In the shape of an event of the bus, as every inbox reads it.
    input = jsonencode({
      id          = "<aws.scheduler.execution-id>"
      source      = "millrace.scheduler"
      detail-type = "order-sweep.due"
      time        = "<aws.scheduler.scheduled-time>"
      detail      = {}
    })

    retry_policy {
      # The next sweep does what this one missed.
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = module.sweep_orders_inbox.dead_letter_queue.arn
    }
  }
}

resource "aws_iam_role" "sweep_schedule" {
  name               = "${var.platform.prefix}-sweep-orders-schedule"
  description        = "What the schedule ${var.platform.prefix}-sweep-orders may do."
  assume_role_policy = data.aws_iam_policy_document.assume_by_schedule.json
}

resource "aws_iam_role_policy" "ask_for_sweep" {
  name   = "ask-for-sweep"
  role   = aws_iam_role.sweep_schedule.name
  policy = data.aws_iam_policy_document.ask_for_sweep.json
}
