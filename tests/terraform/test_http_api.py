"""modules/http-api: each route asks for the token it wants, and what cannot work is refused."""

import json
from typing import Any

import pytest

from tests.terraform.conftest import Once
from tests.terraform.plans import Plan, Resource
from tests.terraform.test_examples import platform
from tests.terraform.workspace import Terraform, scratch_root

pytestmark = pytest.mark.terraform

FUNCTION = """
  function_name = "shop-api"
  function_arn  = "arn:aws:lambda:eu-central-1:000000000000:function:shop-api"
"""
CALLS = """
module "shop" {
  source   = "../../modules/http-api"
  platform = var.platform
  routes = {
    "GET /orders"           = { FUNCTION }
    "PUT /stock/{product}"  = { FUNCTION scope = "millrace/stock.write" }
    "GET /products"         = { FUNCTION public = true }
  }
  throttle = { routes = { "GET /orders" = { rate = 7, burst = 9 } } }
  cors     = { origins = ["https://shop.example.com"] }
}

module "foreign" {
  source   = "../../modules/http-api"
  platform = var.platform
  routes   = { "GET /orders" = { FUNCTION } }
  issuer   = { url = "https://login.example.com/", audience = ["shop", "admin"] }
  domain   = { name = "api.example.com", certificate_arn = "arn:aws:acm:::certificate/c" }
}

module "trial" {
  source   = "../../modules/http-api"
  platform = var.platform
  users    = { operator_tokens = true, self_sign_up = true, token_minutes = 5 }
}
""".replace("FUNCTION", FUNCTION)

# The wrong inputs, and words of the message that refuses them.
REFUSED = [
    ('routes = { "GET orders" = { FUNCTION } }', 'the form "METHOD /path/{parameter}"; got "GET o'),
    ('routes = { "ANY /orders" = { FUNCTION } }', 'parameter}"; got "ANY /orders".'),
    (
        'routes = { "GET /open" = { FUNCTION public = true, scope = "millrace/stock.write" } }',
        'cannot want a scope; got "GET /open" with millrace/stock.write.',
    ),
    ('routes = { "GET /openapi.json" = { FUNCTION } }', "is the API's own"),
    ('scopes = { "everything" = "All." }', "the form resource/permission in lower case; got every"),
    ('issuer = { url = "http://login.example.com", audience = ["a"] }', 'an https URL; got "http:'),
    ('issuer = { url = "https://login.example.com", audience = [] }', "at least one audience"),
    ("users = { token_minutes = 4 }", "5 to 1440 minutes; got 4."),
    ("throttle = { rate = 0 }", "at least 1, for at 0 nothing is answered; got rate 0, burst 400."),
    ('cors = { origins = ["*"] }', "without a path or a wildcard; got *."),
    (
        'cors = { origins = ["https://a.example.com/shop"] }',
        "wildcard; got https://a.example.com/s",
    ),
    ("alarms = { error_rate = 5 }", "a share between 0 and 1; got 5."),
    (
        'routes = { "GET /a" = { FUNCTION scope = "millrace/unheard.of" } }',
        "wants the scope millrace/unheard.of, which `scopes` does not hold",
    ),
    ('throttle = { routes = { "GET /lost" = { rate = 1, burst = 1 } } }', "got GET /lost."),
]


class Module:
    """What one call of the module makes."""

    def __init__(self, plan: Plan, name: str) -> None:
        self._resources = [r for r in plan.resources if r.address.startswith(f"module.{name}.")]
        assert self._resources

    def of(self, kind: str) -> list[Resource]:
        return [r for r in self._resources if r.type == kind]

    def one(self, kind: str) -> dict[str, Any]:
        (resource,) = self.of(kind)
        return resource.values

    def routes(self) -> dict[str, dict[str, Any]]:
        return {r.values["route_key"]: r.values for r in self.of("aws_apigatewayv2_route")}


@pytest.fixture(scope="module")
def planned(terraform: Terraform, repository: Any, once: Once) -> Plan:
    def plan() -> dict[str, Any]:
        root = scratch_root(repository, "http-api", platform(repository) + CALLS)
        terraform.init(root)
        return terraform.plan(root)

    return Plan(once("http-api", plan))


@pytest.fixture(scope="module")
def shop(planned: Plan) -> Module:
    return Module(planned, "shop")


def test_a_route_asks_for_the_token_it_wants(shop: Module) -> None:
    routes = shop.routes()
    asked = {key: (r["authorization_type"], r["authorization_scopes"]) for key, r in routes.items()}
    assert asked == {
        "GET /orders": ("JWT", None),
        "PUT /stock/{product}": ("JWT", ["millrace/stock.write"]),
        "GET /products": ("NONE", None),
        "GET /openapi.json": ("NONE", None),
    }


def test_a_function_is_integrated_once_and_only_this_api_may_call_it(
    shop: Module, planned: Plan
) -> None:
    integrations = shop.of("aws_apigatewayv2_integration")
    assert len(integrations) == 2
    assert {i.values["payload_format_version"] for i in integrations} == {"2.0"}
    permissions = [
        p
        for p in shop.of("aws_lambda_permission")
        if p.values["principal"] == "apigateway.amazonaws.com"
    ]
    functions = {p.values["function_name"] for p in permissions}
    assert functions == {"shop-api", "millrace-docs-api-docs"}
    for permission in permissions:
        assert "aws_apigatewayv2_api.this.execution_arn" in planned.references(permission)


def test_every_route_is_throttled_and_one_may_have_its_own_figures(shop: Module) -> None:
    stage = shop.one("aws_apigatewayv2_stage")
    (default,) = stage["default_route_settings"]
    assert (default["throttling_rate_limit"], default["throttling_burst_limit"]) == (200, 400)
    (own,) = stage["route_settings"]
    assert (own["route_key"], own["throttling_rate_limit"]) == ("GET /orders", 7)
    assert (stage["name"], stage["auto_deploy"]) == ("$default", True)


def test_the_access_log_is_json_without_paths_and_queries(shop: Module) -> None:
    (settings,) = shop.one("aws_apigatewayv2_stage")["access_log_settings"]
    written = json.loads(settings["format"]).values()
    assert {"$context.requestId", "$context.status", "$context.responseLatency"} <= set(written)
    assert not {"$context.path", "$context.authorizer.claims.email"} & set(written)
    group = next(
        g.values
        for g in shop.of("aws_cloudwatch_log_group")
        if g.values["name"].startswith("/aws/vendedlogs/")
    )
    assert group["retention_in_days"] == 30


def test_browsers_of_the_given_origins_may_call_with_every_header_there_is(shop: Module) -> None:
    (cors,) = shop.one("aws_apigatewayv2_api")["cors_configuration"]
    assert cors["allow_origins"] == ["https://shop.example.com"]
    assert {"authorization", "idempotency-key", "if-match"} <= set(cors["allow_headers"])
    assert {"etag", "location", "x-correlation-id"} <= set(cors["expose_headers"])
    assert not cors["allow_credentials"]


def test_without_origins_no_browser_may(planned: Plan) -> None:
    assert not Module(planned, "trial").one("aws_apigatewayv2_api")["cors_configuration"]


def test_the_alarms_watch_metrics_that_an_http_api_has(shop: Module) -> None:
    watched = set()
    for alarm in shop.of("aws_cloudwatch_metric_alarm"):
        own = [alarm.values] if alarm.values["metric_name"] else []
        queries = [q["metric"][0] for q in alarm.values["metric_query"] if q["metric"]]
        for metric in own + queries:
            assert metric["namespace"] == "AWS/ApiGateway"
            watched.add(metric["metric_name"])
        assert "Runbook: docs/operations.md#api-" in alarm.values["alarm_description"]
    assert watched == {"5xx", "Count", "Latency"}


def test_a_user_gets_scopes_by_group_and_never_by_asking(shop: Module) -> None:
    client = shop.one("aws_cognito_user_pool_client")
    assert client["allowed_oauth_scopes"] == client["allowed_oauth_flows"] == []
    assert client["allowed_oauth_flows_user_pool_client"] is False
    groups = {g.values["name"] for g in shop.of("aws_cognito_user_group")}
    names = ("catalog.write", "orders.admin", "stock.write", "telemetry.read")
    assert groups == {f"millrace/{name}" for name in names}
    (function,) = [
        f.values
        for f in shop.of("aws_lambda_function")
        if f.values["handler"] == "lambdas.identity.grant_scopes.handler"
    ]
    variables = function["environment"][0]["variables"]
    assert set(json.loads(variables["GRANTABLE_SCOPES"])) == groups
    (server,) = shop.of("aws_cognito_resource_server")
    assert {f"millrace/{s['scope_name']}" for s in server.values["scope"]} == groups
    (trigger,) = shop.one("aws_cognito_user_pool")["lambda_config"][0][
        "pre_token_generation_config"
    ]
    assert trigger["lambda_version"] == "V2_0"


def test_an_operator_gets_tokens_only_where_it_is_said(shop: Module, planned: Plan) -> None:
    flow = "ALLOW_ADMIN_USER_PASSWORD_AUTH"
    trial = Module(planned, "trial")
    assert flow not in shop.one("aws_cognito_user_pool_client")["explicit_auth_flows"]
    assert flow in trial.one("aws_cognito_user_pool_client")["explicit_auth_flows"]
    (closed,) = shop.one("aws_cognito_user_pool")["admin_create_user_config"]
    (opened,) = trial.one("aws_cognito_user_pool")["admin_create_user_config"]
    assert closed["allow_admin_create_user_only"]
    assert not opened["allow_admin_create_user_only"]


def test_a_given_issuer_replaces_the_user_pool(planned: Plan) -> None:
    foreign = Module(planned, "foreign")
    (jwt,) = foreign.one("aws_apigatewayv2_authorizer")["jwt_configuration"]
    assert jwt["issuer"] == "https://login.example.com/"
    assert set(jwt["audience"]) == {"shop", "admin"}
    assert not foreign.of("aws_cognito_user_pool")
    assert [f.values["function_name"] for f in foreign.of("aws_lambda_function")] == [
        "millrace-docs-api-docs"
    ]


def test_with_a_domain_nobody_goes_around_it(shop: Module, planned: Plan) -> None:
    foreign = Module(planned, "foreign")
    assert foreign.one("aws_apigatewayv2_api")["disable_execute_api_endpoint"]
    (domain,) = foreign.one("aws_apigatewayv2_domain_name")["domain_name_configuration"]
    assert domain["security_policy"] == "TLS_1_2"
    assert not shop.one("aws_apigatewayv2_api")["disable_execute_api_endpoint"]


@pytest.fixture(scope="module")
def messages(terraform: Terraform, repository: Any, once: Once) -> list[str]:
    """Every refusal: first what validations say, then what only the rest of a plan tells."""

    def calls(cases: list[tuple[str, str]]) -> str:
        return "".join(
            f'module "m{number}" {{\n  source = "../../modules/http-api"\n'
            f"  platform = var.platform\n{wrong.replace('FUNCTION', FUNCTION)}\n}}\n"
            for number, (wrong, _) in enumerate(cases)
        )

    def refusals() -> list[str]:
        shared = platform(repository)
        root = scratch_root(repository, "http-api-refusals", shared + calls(REFUSED))
        terraform.init(root)
        told = terraform.refuse(root)
        rest = [case for case in REFUSED if not any(case[1] in message for message in told)]
        (root / "main.tf").write_text(shared + calls(rest))
        return told + (terraform.refuse(root) if rest else [])

    return once("http-api-refusals", refusals)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[1][:40])
def test_the_plan_refuses(messages: list[str], case: tuple[str, str]) -> None:
    assert any(case[1] in message for message in messages), "\n".join(messages)
