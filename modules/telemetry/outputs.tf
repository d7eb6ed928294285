output "stream_name" {
  description = "Where devices put their records, with the device as the partition key."
  value       = aws_kinesis_stream.this.name
}

output "table" {
  description = "The table that holds devices, rollups and anomalies."
  value       = module.telemetry.name
}

output "raw_bucket" {
  description = "Where the raw files are, by date and hour of arrival."
  value       = module.raw.name
}

output "raw_table" {
  description = "The raw files as Athena names them, database and table; null where there is no Glue."
  value       = one([for table in aws_glue_catalog_table.raw : "${table.database_name}.${table.name}"])
}

output "parameter" {
  description = "The parameter that says what is normal for which type of device."
  value       = aws_ssm_parameter.device_types.name
}

output "functions" {
  description = "The service's functions by short name."
  value = merge(
    {
      for name, function in {
        ingest-telemetry = module.ingest_telemetry
        sweep-devices    = module.sweep_devices
        read-telemetry   = module.read_telemetry
        } : name => {
        name            = function.name
        arn             = function.arn
        timeout_seconds = function.timeout_seconds
        log_group_name  = function.log_group_name
      }
    },
    { telemetry-publisher = module.telemetry.publisher },
  )
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    sweep-devices = {
      name = module.sweep_devices_inbox.name
      url  = module.sweep_devices_inbox.url
      arn  = module.sweep_devices_inbox.arn
    }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value       = { sweep-devices = module.sweep_devices_inbox.dead_letter_queue }
}

output "routes" {
  description = "The HTTP routes the service answers, by route key: all of them want the scope to read telemetry."
  value = {
    for route in ["GET /devices", "GET /devices/{id}", "GET /devices/{id}/metrics", "GET /anomalies"] : route => {
      function_name = module.read_telemetry.name
      function_arn  = module.read_telemetry.arn
      scope         = "millrace/telemetry.read"
      public        = false
    }
  }
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.telemetry.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type: none."
  value       = {}
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = merge({ ingest-telemetry = module.ingest_telemetry_stream.stream }, module.telemetry.streams)
}

output "alarms" {
  description = "The names of the alarms that the service makes itself, beside those of its blocks."
  value = merge(
    { refuses-writes = aws_cloudwatch_metric_alarm.refuses_writes.alarm_name },
    { for alarm in aws_cloudwatch_metric_alarm.mqtt_undelivered : "mqtt-undelivered" => alarm.alarm_name },
  )
}

output "absences" {
  description = "The names of the alarms on what does not come: each pages by itself, for nothing of the service fails."
  value       = { for alarm in aws_cloudwatch_metric_alarm.silent : "unheard" => alarm.alarm_name }
}
