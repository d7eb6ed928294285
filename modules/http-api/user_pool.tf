# The own user pool: who may ask, and which scopes their access tokens grant.
#
# Cognito itself grants a custom scope to every user of a client that may ask for it, so the client asks for none:
# a user's scopes are the groups they are in, written into the token by a function.

locals {
  own_pool = var.issuer == null ? 1 : 0
}

resource "aws_cognito_user_pool" "this" {
  count = local.own_pool

  name                = local.full_name
  user_pool_tier      = "ESSENTIALS" # the least that lets a function write scopes into an access token
  deletion_protection = var.platform.data.protect ? "ACTIVE" : "INACTIVE"
  alias_attributes    = ["email"]

  auto_verified_attributes = ["email"]

  admin_create_user_config {
    allow_admin_create_user_only = !var.users.self_sign_up
  }

  username_configuration {
    case_sensitive = false
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = true
    temporary_password_validity_days = 7
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  user_attribute_update_settings {
    # A changed address counts only once it is proven: receipts are sent to it.
    attributes_require_verification_before_update = ["email"]
  }

  lambda_config {
    pre_token_generation_config {
      lambda_arn     = one(module.grant_scopes[*].arn)
      lambda_version = "V2_0" # V1 cannot touch access tokens
    }
  }
}

resource "aws_cognito_user_group" "scope" {
  for_each = local.own_pool == 1 ? var.scopes : {}

  name         = each.key
  description  = each.value
  user_pool_id = one(aws_cognito_user_pool.this[*].id)
}

resource "aws_cognito_resource_server" "this" {
  for_each = local.own_pool == 1 ? toset([for scope in keys(var.scopes) : split("/", scope)[0]]) : []

  user_pool_id = one(aws_cognito_user_pool.this[*].id)
  identifier   = each.key
  name         = each.key

  dynamic "scope" {
    for_each = { for name, description in var.scopes : split("/", name)[1] => description if split("/", name)[0] == each.key }

    content {
      scope_name        = scope.key
      scope_description = scope.value
    }
  }
}

resource "aws_cognito_user_pool_client" "this" {
  count = local.own_pool

  name         = "${local.full_name}-users"
  user_pool_id = one(aws_cognito_user_pool.this[*].id)

  explicit_auth_flows = concat(
    ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
    var.users.operator_tokens ? ["ALLOW_ADMIN_USER_PASSWORD_AUTH"] : [],
  )
  supported_identity_providers  = ["COGNITO"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  # With no flow of OAuth there is no custom scope to be had without being in its group.
  allowed_oauth_flows_user_pool_client = false
  allowed_oauth_flows                  = []
  allowed_oauth_scopes                 = []

  access_token_validity  = var.users.token_minutes
  id_token_validity      = var.users.token_minutes
  refresh_token_validity = 30

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  # What a user may change of themselves; the rest is the operators'.
  read_attributes  = ["email", "email_verified", "name"]
  write_attributes = ["email", "name"]
}

module "grant_scopes" {
  source = "../lambda-function"
  count  = local.own_pool

  name        = "grant-scopes"
  description = "Writes the scopes of a user's groups, and the e-mail address, into the access token."
  platform    = var.platform
  code        = { service = "identity", module = "grant_scopes" }

  environment = { GRANTABLE_SCOPES = jsonencode(keys(var.scopes)) }
  resources   = { timeout_seconds = 5 } # Cognito waits no longer
}

resource "aws_lambda_permission" "customize_tokens" {
  count = local.own_pool

  statement_id  = "CustomizeTokens"
  action        = "lambda:InvokeFunction"
  function_name = one(module.grant_scopes[*].name)
  principal     = "cognito-idp.amazonaws.com"
  source_arn    = one(aws_cognito_user_pool.this[*].arn)
}
