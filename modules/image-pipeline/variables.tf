variable "bus" {
  description = "The bus that rendered and rejected images are announced on, and the bucket that keeps what could not be published."
  type = object({
    name            = string
    arn             = string
    quarantine_name = string
  })
  nullable = false
}

variable "profile" {
  description = "The renditions made of every picture: widths (never enlarging), formats with their quality and encoder effort, the colour behind transparency in JPEG, and the limits beyond which a file is refused."
  type = object({
    widths = optional(list(number), [320, 640, 1280, 1920])
    formats = optional(map(object({
      quality = number
      effort  = optional(number)
      })), {
      jpeg = { quality = 80 }
      webp = { quality = 80, effort = 2 }
    })
    background = optional(string, "#ffffff")
    limits = optional(object({
      max_bytes  = optional(number, 52428800)
      max_pixels = optional(number, 120000000)
      max_frames = optional(number, 500)
      # What a decoder that cannot stream may hold at once; the function wants about 400 MB more.
      max_decoded_bytes = optional(number, 1610612736)
    }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(var.profile.widths) > 0 && alltrue([for width in var.profile.widths : width >= 1 && width <= 16383 && floor(width) == width])
    error_message = "Widths want at least one whole number of pixels from 1 to 16383; got [${join(", ", var.profile.widths)}]."
  }
  validation {
    condition     = length(var.profile.widths) <= 16 && length(distinct(var.profile.widths)) == length(var.profile.widths)
    error_message = "Widths want at most 16 numbers that differ; got [${join(", ", var.profile.widths)}]."
  }
  validation {
    condition     = length(var.profile.formats) > 0 && length(setsubtract(keys(var.profile.formats), ["jpeg", "webp", "avif"])) == 0
    error_message = "Formats want one or more of jpeg, webp, avif; got [${join(", ", keys(var.profile.formats))}]."
  }
  validation {
    condition     = alltrue([for format in values(var.profile.formats) : format.quality >= 1 && format.quality <= 100 && floor(format.quality) == format.quality])
    error_message = "Quality wants a whole number from 1 to 100; got ${join(", ", [for name, format in var.profile.formats : "${name} ${format.quality}"])}."
  }
  validation {
    condition = alltrue([
      for name, format in var.profile.formats :
      format.effort == null || try(contains(range({ webp = 7, avif = 10 }[name]), format.effort), false)
    ])
    error_message = "Effort wants 0 (fast) to 6 (small) for webp, 0 to 9 for avif, none for jpeg; got ${join(", ", [for name, format in var.profile.formats : "${name} ${format.effort}" if format.effort != null])}."
  }
  validation {
    condition     = can(regex("^#[0-9a-fA-F]{6}$", var.profile.background))
    error_message = "A background wants the form #rrggbb; got \"${var.profile.background}\"."
  }
  validation {
    condition     = alltrue([for limit in values(var.profile.limits) : limit >= 1 && floor(limit) == limit])
    error_message = "Limits want whole numbers, at least 1; got ${join(", ", [for name, limit in var.profile.limits : "${name} ${limit}"])}."
  }
}

variable "function" {
  description = "Memory and time of the rendering function, and how many pictures it renders at once at most. 1769 MB buy one full CPU."
  type = object({
    memory_mb       = optional(number, 2048)
    timeout_seconds = optional(number, 60)
    max_concurrency = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.function.memory_mb >= var.profile.limits.max_decoded_bytes / 1048576 + 400
    error_message = "Memory wants at least ${ceil(var.profile.limits.max_decoded_bytes / 1048576 + 400)} MB for pictures decoded whole (limits.max_decoded_bytes + 400 MB); got ${var.function.memory_mb} MB."
  }
}
