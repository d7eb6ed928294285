# Every so often a message in the sweep's inbox; what cannot be delivered ends in that inbox's dead-letter queue.

locals {
  # In the shape of an event of the bus, as every inbox reads it.
  sweep_due = jsonencode({
    id          = "<aws.scheduler.execution-id>"
    source      = "millrace.scheduler"
    detail-type = "basket-sweep.due"
    time        = "<aws.scheduler.scheduled-time>"
    detail      = {}
  })
}

resource "aws_scheduler_schedule" "sweep_baskets" {
  name        = "${var.platform.prefix}-sweep-baskets"
  description = "Asks for baskets that nobody touched for a while to be announced."

  schedule_expression = "rate(${var.abandonment.sweep_minutes} ${var.abandonment.sweep_minutes == 1 ? "minute" : "minutes"})"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.sweep_baskets_inbox.arn
    role_arn = aws_iam_role.sweep_schedule.arn
    # Terraform's JSON hides < and >, and the scheduler would not know its keywords again.
    input = replace(replace(local.sweep_due, "\\u003c", "<"), "\\u003e", ">")

    retry_policy {
      # The next sweep does what this one missed.
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = module.sweep_baskets_inbox.dead_letter_queue.arn
    }
  }
}

resource "aws_iam_role" "sweep_schedule" {
  name               = "${var.platform.prefix}-sweep-baskets-schedule"
  description        = "What the schedule ${var.platform.prefix}-sweep-baskets may do."
  assume_role_policy = data.aws_iam_policy_document.assume_by_schedule.json
}

resource "aws_iam_role_policy" "ask_for_sweep" {
  name   = "ask-for-sweep"
  role   = aws_iam_role.sweep_schedule.name
  policy = data.aws_iam_policy_document.ask_for_sweep.json
}
