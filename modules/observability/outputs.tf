output "alarm_topic_arn" {
  description = "The topic that every alarm tells of every change: for a chat channel or a list of tickets."
  value       = aws_sns_topic.alarms.arn
}

output "page_topic_arn" {
  description = "The topic of what somebody must get up for, one message a fault: for whoever is on call."
  value       = aws_sns_topic.pages.arn
}

output "dashboards" {
  description = "The names of the dashboards: the overview, and one per capability; empty on a local AWS."
  value       = concat(aws_cloudwatch_dashboard.overview[*].dashboard_name, [for it in aws_cloudwatch_dashboard.capability : it.dashboard_name])
}
