# Where pictures come in and renditions go out.

module "uploads" {
  source = "../bucket"

  name              = "uploads"
  platform          = var.platform
  versioned         = true # the event names the version: what is rendered is what was uploaded, whatever came after
  announces_objects = true
}

module "renditions" {
  source = "../bucket"

  name     = "renditions"
  platform = var.platform # not versioned: a rendition's key is made of its content, so nothing overwrites it
}
