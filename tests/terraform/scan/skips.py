"""What checkov finds and we leave as it is: the check, the resources, and why.

A skip names resources by a pattern (fnmatch) of their address. One that nothing needs any more
fails the scan, as does a finding without a skip.
"""

OUR_KEY = (
    "prod sets the environment's own key, whose ARN only the apply tells: "
    "tests/terraform/policy.py (encrypted_with_our_key) follows the reference in the plan instead"
)
WRITTEN_ONCE = "an object is written once, under a key made of its content or of its cause"

Skips = dict[tuple[str, str], str]

EVERYWHERE: Skips = {
    ("CKV_AWS_116", "*.aws_lambda_function.this"): (
        "no function is invoked asynchronously: queues and streams in front have dead letters of "
        "their own, and tests/terraform/policy.py holds every edge to it"
    ),
    ("CKV_AWS_117", "*.aws_lambda_function.this"): (
        "functions speak to AWS's public endpoints over TLS and to nothing inside a network; a VPC "
        "would add cold start and NAT, and guard nothing"
    ),
    ("CKV_AWS_272", "*.aws_lambda_function.this"): (
        "zips are built deterministically and known by their hash in plan and state; who may write "
        "the artifacts' bucket could sign as well"
    ),
    ("CKV_AWS_119", "*.aws_dynamodb_table.this"): OUR_KEY,
    ("CKV_AWS_144", "*.aws_s3_bucket.this"): (
        "the stack lives in one region; a second one is a second environment, not a copied bucket"
    ),
    ("CKV_AWS_18", "*.aws_s3_bucket.this"): (
        "who reads objects is for CloudTrail's data events to record, which an account turns on "
        "for all its buckets; access logs would be another bucket for each environment to guard"
    ),
    ("CKV_AWS_297", "*.aws_scheduler_schedule.this*"): (
        "a schedule's message holds the name of an event and nothing else"
    ),
    ("CKV2_AWS_34", "*aws_ssm_parameter.*"): (
        "limits of devices and names of resources: no secret, and read without a key"
    ),
}

TREE: Skips = {
    ("CKV_AWS_309", 'aws_apigatewayv2_route.this["GET /openapi.json"]'): (
        "the description of what the API answers is public by design"
    ),
    ("CKV_AWS_356", "aws_iam_policy_document.operate"): (
        "metrics, answers of Logs Insights and traces have no resource-level permissions"
    ),
    ("CKV_AWS_300", "*.aws_s3_bucket_lifecycle_configuration.this"): (
        "modules/bucket ends uploads that were given up after some days; checkov does not evaluate "
        "the rule's dynamic blocks, and the plan passes this check"
    ),
    ("CKV2_AWS_57", "aws_secretsmanager_secret.api_key"): (
        "the sandbox gateway's key opens nothing but the sandbox, in local and dev"
    ),
}

PLAN_OF_PROD: Skips = {
    ("CKV_AWS_158", "*.aws_cloudwatch_log_group.*"): OUR_KEY,
    ("CKV_AWS_173", "*.aws_lambda_function.this"): OUR_KEY,
    ("CKV_AWS_185", "*.aws_kinesis_stream.this"): OUR_KEY,
    ("CKV_AWS_26", "*.aws_sns_topic.*"): OUR_KEY,
    ("CKV_AWS_27", "*.aws_sqs_queue.*"): OUR_KEY,
    ("CKV_AWS_21", "*.module.renditions.aws_s3_bucket.this"): (
        f"{WRITTEN_ONCE}, and can be rendered again from the upload, which is versioned"
    ),
    ("CKV_AWS_21", "*.module.quarantine.aws_s3_bucket.this"): WRITTEN_ONCE,
    ("CKV_AWS_21", "*.module.raw.aws_s3_bucket.this"): WRITTEN_ONCE,
    ("CKV2_AWS_62", "*.aws_s3_bucket.this"): (
        "only uploads must be told of; nobody waits for what functions themselves write"
    ),
    ("CKV_AWS_309", '*.aws_apigatewayv2_route.this["GET *"]'): (
        "the description of the API and the shop's products are public by design"
    ),
}
