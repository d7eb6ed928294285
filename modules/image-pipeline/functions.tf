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
    # One arena: with glibc's default of eight per CPU, a 24-megapixel JPEG keeps 90 MB instead of 57.
    MALLOC_ARENA_MAX = "1"
  }
  resources = {
    memory_mb       = var.function.memory_mb
    timeout_seconds = var.function.timeout_seconds
  }
  policies = {
    read-uploads     = module.uploads.policies.read
    write-renditions = module.renditions.policies.write
    use-images       = module.images.policies.render-image
  }
}
