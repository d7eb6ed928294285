# What SES needs: an identity that may send, the templates, and how to send them.

locals {
  ses_arn = "arn:${var.platform.partition}:ses:${var.platform.region}:${var.platform.account_id}"

  # <template>.subject.txt, <template>.txt and <template>.html make one template.
  templates       = toset([for file in fileset("${path.module}/templates", "*.html") : trimsuffix(file, ".html")])
  template_prefix = "${var.platform.prefix}-"
}

resource "aws_ses_email_identity" "sender" {
  count = var.sender.register == "address" ? 1 : 0

  email = var.sender.address
}

resource "aws_sesv2_email_identity" "domain" {
  count = var.sender.register == "domain" ? 1 : 0

  email_identity = split("@", var.sender.address)[1]
}

# A local AWS does not know whose it is, and cannot tag it.
resource "aws_sesv2_configuration_set" "this" {
  count = var.platform.aws_only_features ? 1 : 0

  configuration_set_name = "${var.platform.prefix}-notification"

  delivery_options {
    tls_policy = "REQUIRE" # a mail server without TLS gets no order of a customer to read
  }
  reputation_options {
    reputation_metrics_enabled = true
  }
  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }
}

resource "aws_ses_template" "mail" {
  for_each = local.templates

  name    = "${local.template_prefix}${each.key}"
  subject = file("${path.module}/templates/${each.key}.subject.txt")
  text    = file("${path.module}/templates/${each.key}.txt")
  html    = file("${path.module}/templates/${each.key}.html")
}
