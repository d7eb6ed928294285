output "alarm_topic_arn" {
  description = "The topic that alarms tell."
  value       = aws_sns_topic.alarms.arn
}
