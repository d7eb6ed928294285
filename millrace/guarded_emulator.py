"""The emulator with a guard in front, in one process (`local_aws` starts it).

Whoever can send local AWS a request can run code on this machine: create a function, invoke it.
A web page can send requests to the loopback address too: a POST of plain text from any site needs
no permission, and a host name of its own that comes to mean 127.0.0.1 (DNS rebinding) lets it read
the answers. So what a browser sends is refused, whatever it asks for and whoever the page is;
programs (the command line, Terraform, any AWS client) send nothing of what gives it away.

This runs on the emulator's own interpreter: standard library only.
"""

import importlib
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from millrace import emulator_crashes, emulator_gaps

KEEP_ALIVE_SECONDS = 600
"""How long the emulator leaves an idle connection open: longer than any client does (Terraform's
provider 90 s). Its own 75 s are a trap: a request that comes in just then may be carried out and
its answer lost, and the repetition of the client fails, since what it creates exists."""

API_PATH = "/_aws/execute-api/"
"""Where the HTTP APIs answer. The emulator looks at nothing else of a request to decide so."""

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """An ASGI application that lets through to `app` what did not come from a web page.

    `origins` gives the pages that may call the HTTP APIs, and those only, as browsers write them
    in the header Origin. It is asked anew for each request with one.
    """

    def __init__(self, app: Application, port: int, origins: Callable[[], Iterable[str]]) -> None:
        self._app = app
        self._origins = origins
        # A name below localhost is a bucket or an API; no name there is anybody's to give out.
        self._hosts = re.compile(rf"(127\.0\.0\.1|([a-z0-9_-]+\.)*localhost):{port}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The server's own start and end are the only thing that is no request.
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closed before it is accepted, which the server answers with 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(send, refusal)

    def _refusal(self, scope: Scope) -> str | None:
        """Why the request is refused, as a sentence; None: it is not."""
        values: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            values.setdefault(bytes(name).lower(), []).append(bytes(value))
        hosts = values.get(b"host", [])
        if len(hosts) != 1 or not self._hosts.fullmatch(hosts[0].lower()):
            return "the request is for another host (its header Host)"
        if b"origin" in values:
            return self._refusal_of_page(values[b"origin"], scope["path"])
        # "none" is what the user himself typed or opened. Even the page of an object in a bucket
        # is refused: whoever put it there could read everything else.
        if any(site.lower() != b"none" for site in values.get(b"sec-fetch-site", [])):
            return "the request comes from a web page"
        return None

    def _refusal_of_page(self, origins: list[bytes], path: str) -> str | None:
        page = b", ".join(origins).decode("latin-1")
        if page not in self._origins():
            return f"the request comes from a web page ({page})"
        if not path.startswith(API_PATH):
            return f"a web page ({page}) may call the HTTP API and nothing else"
        return None


async def _refuse(send: Send, why: str) -> None:
    text = (
        f"Local AWS answers programs, not web pages: {why}.\n"
        "To let a page of yours call the HTTP API: millrace up --allow-origin ORIGIN\n"
    )
    body = text.encode("latin-1", "replace")
    headers = [
        (b"content-type", b"text/plain; charset=iso-8859-1"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main(origins: Path) -> None:
    """Run the emulator; `origins` is the file that lists the pages let in, one a line."""
    config = importlib.import_module("hypercorn.config").Config
    config.keep_alive_timeout = property(lambda _: KEEP_ALIVE_SECONDS, lambda *_: None)
    mended = ("services.cloudwatch", "services.apigateway", "core.lambda_runtime")
    emulator_gaps.close(*(importlib.import_module(f"ministack.{one}") for one in mended))
    emulator_crashes.tell(importlib.import_module("ministack.services.lambda_svc"))
    emulator: Any = importlib.import_module("ministack.app")

    def listed() -> list[str]:
        return origins.read_text().splitlines() if origins.exists() else []

    emulator.app = Guard(emulator.app, int(os.environ["GATEWAY_PORT"]), listed)
    emulator.main()
