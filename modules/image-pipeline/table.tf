# The manifests: one state item per uploaded key, and the events that tell of it.

module "images" {
  source = "../outbox-table"

  name     = "images"
  platform = var.platform
  bus      = var.bus

  emits = {
    "image.rendered.v1" = { source = "millrace.image-pipeline" }
    "image.rejected.v1" = { source = "millrace.image-pipeline" }
  }

  indexes = {
    # Sparse: only state items carry a status.
    by_status = { hash = { name = "status" }, range = { name = "updated_at" } }
  }

  access = {
    render-image = {
      items = {
        GetItem = ["image/*"]
        PutItem = ["image/*"]
      }
    }
  }
}
