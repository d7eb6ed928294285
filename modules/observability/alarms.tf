# The one topic that every alarm tells.

resource "aws_sns_topic" "alarms" {
  name              = "${var.prefix}-alarms"
  display_name      = "Alarms of ${var.prefix}"
  kms_master_key_id = try(var.kms.key_arn, null)
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
