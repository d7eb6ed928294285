output "name" {
  description = "The queue's full name."
  value       = aws_sqs_queue.this.name
}

output "url" {
  description = "The queue's URL."
  value       = aws_sqs_queue.this.url
}

output "arn" {
  description = "The queue's ARN."
  value       = aws_sqs_queue.this.arn
}

output "dead_letter_queue" {
  description = "Name, URL and ARN of the queue where failed events wait for 14 days, and the names of the inbox's own alarms."
  value = {
    name = aws_sqs_queue.dead_letter.name
    url  = aws_sqs_queue.dead_letter.url
    arn  = aws_sqs_queue.dead_letter.arn
    alarms = {
      dead_letter = aws_cloudwatch_metric_alarm.dead_letter.alarm_name
      undelivered = one(aws_cloudwatch_metric_alarm.undelivered[*].alarm_name) # none without a rule
      unscheduled = one(aws_cloudwatch_metric_alarm.unscheduled[*].alarm_name) # none without a schedule
    }
  }
}
