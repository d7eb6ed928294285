"""The API's own description: `GET /openapi.json`, to anybody.

The document beside this file is generated from every service's routes (`make openapi`) and
committed, so that a change of the API shows in its review.
"""

import functools
from pathlib import Path
from typing import Any

import msgspec

from lambdas.core import observability
from lambdas.core.http import Api, Request, Response, Route


@functools.cache
def document() -> bytes:
    """The OpenAPI document, read once per process."""
    return Path(__file__).with_name("openapi.json").read_bytes()


def show_description(_request: Request) -> Response:
    """This document."""
    headers = {"cache-control": "public, max-age=300"}
    return Response(body=msgspec.Raw(document()), headers=headers)


API = Api(
    "api-docs",
    [Route("GET", "/openapi.json", show_description, returns=dict[str, Any], public=True)],
)


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return API.respond(event)
