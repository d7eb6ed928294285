# The one function: it renders what was uploaded, or refuses it with a reason.

module "render_image" {
  source = "../lambda-function"

  name        = "render-image"
  description = "Makes the renditions of an uploaded picture, and its manifest."
  platform    = var.platform
  code        = { service = "image_pipeline", module = "render_image" }

  environment = {
    IMAGES_TABLE      = module.images.name
    RENDITIONS_BUCKET = module.renditions.name
    RENDITION_PROFILE = jsonencode(var.profile)
  }
  resources = {
    memory_mb       = var.function.memory_mb
    timeout_seconds = var.function.timeout_seconds
  }
  policies = {
    read-uploads     = module.uploads.policies.read
    write-renditions = module.renditions.policies.write
    read-images      = module.images.policies.read
    write-images     = module.images.policies.write
  }
}
