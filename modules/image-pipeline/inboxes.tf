# Uploads are announced on the account's default bus, where S3 puts them; a copy to the custom bus would add a hop and a place to fail.

module "render_image_inbox" {
  source = "../inbox"

  name     = "render-image"
  platform = var.platform
  function = module.render_image

  subscriptions = {
    uploaded = {
      pattern = jsonencode({
        source      = ["aws.s3"]
        detail-type = ["Object Created"]
        detail      = { bucket = { name = [module.uploads.name] } }
      })
    }
  }

  batch = {
    size            = 1 # a picture that kills the process must not take nine others to the dead-letter queue
    max_concurrency = var.function.max_concurrency
  }
}
