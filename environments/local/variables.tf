variable "artifacts_directory" {
  description = "Where `make build` put the zips."
  type        = string
  default     = "../../build/local"
  nullable    = false
}

variable "xray_daemon_address" {
  description = "Sends the functions' trace segments to this host:port over UDP; null: nowhere."
  type        = string
  default     = null
}
