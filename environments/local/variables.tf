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

variable "endpoint" {
  description = "The address of the local AWS (http://127.0.0.1:PORT), for functions that call the API; null: they use the API's own host name."
  type        = string
  default     = null
}

variable "allowed_origins" {
  description = "The web pages that may call the HTTP API from a browser, by origin; `millrace up --allow-origin` sets it."
  type        = set(string)
  default     = []
  nullable    = false
}
