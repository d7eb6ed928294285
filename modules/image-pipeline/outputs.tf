output "uploads_bucket" {
  description = "Where to put pictures."
  value       = module.uploads.name
}

output "renditions_bucket" {
  description = "Where the renditions appear."
  value       = module.renditions.name
}

output "images_table" {
  description = "The table that holds the manifests."
  value       = module.images.name
}

output "functions" {
  description = "The service's functions by short name."
  value = {
    render-image = {
      name            = module.render_image.name
      arn             = module.render_image.arn
      timeout_seconds = module.render_image.timeout_seconds
      log_group_name  = module.render_image.log_group_name
    }
    images-publisher = module.images.publisher
  }
}

output "inboxes" {
  description = "The service's queues by short name."
  value = {
    render-image = {
      name = module.render_image_inbox.name
      url  = module.render_image_inbox.url
      arn  = module.render_image_inbox.arn
    }
  }
}

output "dead_letter_queues" {
  description = "Where failed events wait, by the short name of their inbox."
  value       = { render-image = module.render_image_inbox.dead_letter_queue }
}

output "routes" {
  description = "The HTTP routes the service answers: none."
  value       = {}
}

output "emits" {
  description = "The event types the service publishes, by type."
  value       = module.images.emits
}

output "consumes" {
  description = "The event types that reach the service's inboxes, by type."
  value       = { "Object Created" = { source = "aws.s3", inbox = "render-image" } }
}

output "streams" {
  description = "The streams that functions of the service read, by the short name of the function."
  value       = module.images.streams
}
