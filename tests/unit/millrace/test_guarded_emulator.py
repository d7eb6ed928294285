"""What the guard of local AWS lets through: programs, and no web page."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.guarded_emulator import API_PATH, Guard

PORT = 4566
PAGE = "http://localhost:5173"
GOOD_HOSTS = [
    f"127.0.0.1:{PORT}",
    f"localhost:{PORT}",
    f"LocalHost:{PORT}",
    f"photos.localhost:{PORT}",
    f"my.dotted.bucket.s3.localhost:{PORT}",
    f"a1b2c3d4.execute-api.localhost:{PORT}",
]
BAD_HOSTS = [
    "",
    "127.0.0.1",
    "localhost",
    f"127.0.0.1:{PORT + 1}",
    f"127.0.0.1:{PORT}0",
    f"127.0.0.1.evil.example:{PORT}",
    f"evil.example:{PORT}",
    f"localhost.evil.example:{PORT}",
    f"evillocalhost:{PORT}",
    f"evil.example@localhost:{PORT}",
    f"localhost:{PORT}\n",
    f"localhost.:{PORT}",
    f".localhost:{PORT}",
    f"[::1]:{PORT}",
    f"0.0.0.0:{PORT}",
    f"bücket.localhost:{PORT}",
    f"127.0.0.1:{PORT}, evil.example:{PORT}",
]

Headers = Sequence[tuple[str, str]]


def asked(headers: Headers, path: str = "/", kind: str = "http") -> list[Mapping[str, Any]]:
    """What is sent back; an empty list: the request reached the emulator, which stays silent."""
    reached = False
    sent: list[Mapping[str, Any]] = []

    async def emulator(*_: Any) -> None:
        nonlocal reached
        reached = True

    async def receive() -> Mapping[str, Any]:
        raise AssertionError("a request is judged without its body")

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    guard = Guard(emulator, PORT, lambda: [PAGE])
    asyncio.run(guard({"type": kind, "path": path, "headers": raw}, receive, send))
    assert reached != bool(sent), "either answered or passed on"
    return sent


def passes(headers: Headers, path: str = "/", kind: str = "http") -> bool:
    return not asked(headers, path, kind)


HOSTS_ELSEWHERE = st.sampled_from(BAD_HOSTS) | st.text().filter(
    lambda host: not host.lower().endswith(f"localhost:{PORT}") and host != GOOD_HOSTS[0]
)
KINDS = st.sampled_from(["http", "websocket"])
HOSTS = st.sampled_from(GOOD_HOSTS)
PATHS = st.sampled_from(["/", "/bucket/key", "/_ministack/reset", f"{API_PATH}a1/$default/x"])
NAMES = st.sampled_from(["content-type", "x-amz-target", "authorization", "cookie", "user-agent"])
SITES = st.sampled_from(["cross-site", "same-site", "same-origin", "Cross-Site", "none, none", ""])
OTHERS = st.lists(st.tuples(NAMES, st.text(st.characters(codec="ascii"))), max_size=4)


@given(KINDS, HOSTS, PATHS, OTHERS)
def test_whatever_a_program_asks_passes(kind: str, host: str, path: str, others: Headers) -> None:
    assert passes([*others, ("host", host)], path, kind)


@given(KINDS, HOSTS, PATHS, OTHERS, st.text(), st.sampled_from(["origin", "Origin", "ORIGIN"]))
def test_nothing_with_an_origin_passes(
    kind: str, host: str, path: str, others: Headers, origin: str, name: str
) -> None:
    assert not passes([(name, origin), *others, ("host", host)], path, kind)


@given(
    KINDS,
    HOSTS,
    PATHS,
    st.sampled_from(["cross-site", "same-site", "same-origin", "Cross-Site", ""]),
)
def test_nothing_that_a_page_made_the_browser_fetch_passes(
    kind: str, host: str, path: str, site: str
) -> None:
    assert not passes([("host", host), ("sec-fetch-site", site)], path, kind)
    both = [("host", host), ("sec-fetch-site", "none"), ("Sec-Fetch-Site", site)]
    assert not passes(both, path, kind)


@given(KINDS, HOSTS)
def test_what_the_user_opens_himself_passes(kind: str, host: str) -> None:
    assert passes([("host", host), ("sec-fetch-site", "none")], kind=kind)


@given(KINDS, PATHS, HOSTS_ELSEWHERE)
def test_no_other_host_passes(kind: str, path: str, host: str) -> None:
    assert not passes([("host", host)], path, kind)


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_that_only_looks_like_this_machine_is_refused(host: str) -> None:
    assert not passes([("host", host)])
    assert not passes([("host", GOOD_HOSTS[0]), ("Host", host)]), "one of two"


def test_a_request_without_a_host_is_refused() -> None:
    assert not passes([])


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_page_that_was_let_in_may_call_the_api_and_nothing_else(kind: str) -> None:
    page = [("host", GOOD_HOSTS[0]), ("origin", PAGE), ("sec-fetch-site", "same-site")]
    assert passes(page, f"{API_PATH}a1b2c3d4/$default/orders", kind)
    for path in ("/", "/bucket", "/_ministack/reset", "/x/_aws/execute-api/a", API_PATH[:-1]):
        assert not passes(page, path, kind), path
    for other in (f"{PAGE}/", "http://localhost", f"{PAGE}.evil.example", "null", ""):
        headers = [("host", GOOD_HOSTS[0]), ("origin", other)]
        assert not passes(headers, f"{API_PATH}a1b2c3d4/$default/orders", kind), other
    assert not passes([("host", BAD_HOSTS[6]), *page[1:]], f"{API_PATH}a/b", kind)
    assert not passes([*page, ("Origin", "http://evil.example")], f"{API_PATH}a/b", kind)


def test_a_refusal_says_why_and_gives_the_page_nothing_to_read() -> None:
    start, body = asked([("host", GOOD_HOSTS[0]), ("origin", "http://evil.example")])
    assert start["status"] == 403
    assert not [name for name, _ in start["headers"] if name.startswith(b"access-control")]
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert b"web page (http://evil.example)" in body["body"]
    assert b"millrace up --allow-origin" in body["body"]


def test_a_refused_websocket_is_closed_before_it_opens() -> None:
    (close,) = asked([("host", "evil.example")], kind="websocket")
    assert close["type"] == "websocket.close"


def test_the_servers_start_is_no_request() -> None:
    assert passes([], kind="lifespan")


def test_what_is_no_known_kind_of_request_is_judged_all_the_same() -> None:
    assert not passes([("host", "evil.example")], kind="webtransport")
