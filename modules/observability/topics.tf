# Who hears of alarms: one topic for every change of every alarm, and one for what somebody must get up for.

resource "aws_sns_topic" "alarms" {
  name              = "${local.prefix}-alarms"
  display_name      = "Alarms of ${local.prefix}"
  kms_master_key_id = try(var.kms.key_arn, null)
}

resource "aws_sns_topic" "pages" {
  name              = "${local.prefix}-pages"
  display_name      = "Pages of ${local.prefix}"
  kms_master_key_id = try(var.kms.key_arn, null)
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarms.emails

  topic_arn = aws_sns_topic.pages.arn
  protocol  = "email"
  endpoint  = each.value
}
