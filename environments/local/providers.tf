# A local AWS: its address comes from the environment variable AWS_ENDPOINT_URL (`millrace up` sets it), and nothing else is asked.
#
# There is no backend here: the test tool that applies this root refuses one, and `millrace up` says where the state goes.

provider "aws" {
  region     = "us-east-1"
  access_key = "test"
  secret_key = "test"

  s3_use_path_style           = true # there is no DNS for bucket names
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
