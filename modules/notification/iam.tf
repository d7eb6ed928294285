# What the function may do beyond its table.

data "aws_iam_policy_document" "send_mail" {
  statement {
    # SES asks for the permission on all that takes part: how, by which template, and every identity of the account that sends or
    # receives. Which of the recipients' addresses or domains are identities nobody knows before; who the sender is decides.
    sid     = "SendMail"
    actions = ["ses:SendEmail", "ses:SendTemplatedEmail"]
    resources = concat(
      ["${local.ses_arn}:identity/*"],
      [for set in aws_sesv2_configuration_set.this : "${local.ses_arn}:configuration-set/${set.configuration_set_name}"],
      [for template in aws_ses_template.mail : "${local.ses_arn}:template/${template.name}"],
    )

    condition {
      test     = "StringEquals"
      variable = "ses:FromAddress"
      values   = [var.sender.address]
    }
  }
}
