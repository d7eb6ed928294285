"""Every environment serves the routes that the code declares, and asks for the same tokens."""

import ast
import importlib

import pytest

from lambdas.core.http import Api, Route
from millrace import openapi
from millrace.paths import ROOT
from tests.terraform.conftest import ENVIRONMENTS, PlanOf
from tests.terraform.plans import Plan

pytestmark = pytest.mark.terraform


def declared(*, customers: bool) -> dict[str, tuple[str, Route]]:
    """The routes of every service by key, with the module; the sandbox is not for customers."""
    modules = openapi.modules()
    if customers:
        modules = [name for name in modules if name.split(".")[1] not in openapi.NOT_DESCRIBED]
    assert len(modules) >= 5
    found = {}
    for name in modules:
        api: Api = importlib.import_module(name).API
        found.update({route.key: (name, route) for route in api.routes})
    return found


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_serves_exactly_the_routes_that_the_code_declares(
    plan_of: PlanOf, environment: str
) -> None:
    plan = Plan(plan_of(environment))
    handlers = {
        f.values["function_name"]: f.values["handler"] for f in plan.of("aws_lambda_function")
    }
    outputs = plan_of(environment)["planned_values"]["outputs"]["routes"]["value"]
    served = {
        key: (handlers[said["function_name"]], said["scope"], said["public"])
        for key, said in outputs.items()
    }
    wanted = {
        key: (f"{module}.handler", route.scope, route.public)
        for key, (module, route) in declared(customers=environment in ("staging", "prod")).items()
    }
    assert served == wanted


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_gateway_asks_for_what_the_output_says(plan_of: PlanOf, environment: str) -> None:
    outputs = plan_of(environment)["planned_values"]["outputs"]["routes"]["value"]
    asked = {
        r.values["route_key"]: (r.values["authorization_type"], r.values["authorization_scopes"])
        for r in Plan(plan_of(environment)).of("aws_apigatewayv2_route")
    }
    assert asked == {
        key: ("NONE" if said["public"] else "JWT", [said["scope"]] if said["scope"] else None)
        for key, said in outputs.items()
    }


@pytest.mark.parametrize(("environment", "allowed"), [("dev", True), ("prod", False)])
def test_operators_get_tokens_in_dev_and_never_in_prod(
    plan_of: PlanOf, environment: str, allowed: bool
) -> None:
    (client,) = Plan(plan_of(environment)).of("aws_cognito_user_pool_client")
    assert ("ALLOW_ADMIN_USER_PASSWORD_AUTH" in client.values["explicit_auth_flows"]) is allowed


def test_the_scopes_that_code_asks_for_are_those_that_a_token_can_grant(plan_of: PlanOf) -> None:
    """Also the ones asked inside a handler, where no route tells of them."""
    asked = set()
    for path in (ROOT / "lambdas").glob("*/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and str(node.value).startswith("millrace/"):
                asked.add(node.value)
    granted = {g.values["name"] for g in Plan(plan_of("prod")).of("aws_cognito_user_group")}
    assert asked == granted != set()
