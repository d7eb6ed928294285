"""What a function's trace tells, so that an event's way can be put together from it."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from lambdas.contracts.orders import OrderPlacedV1
from lambdas.core import inbox, observability
from lambdas.core.http import Api, Problem, Route
from lambdas.outbox.publish_events import traced
from millrace.tracing.spans import Document, spans
from tests.fakes import FakeSqs, sqs_event
from tests.tracing_world import Sent, traced_invocation
from tests.unit.core.test_inbox_typed import EXAMPLES

TRACE = "1-5f84c7a2-0123456789abcdef01234567"
CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:f",
    aws_request_id="r-1",
)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    with traced_invocation(monkeypatch) as sent:
        yield sent


@pytest.mark.parametrize(("level", "least"), [("WARN", 30), ("ERROR", 40), ("DEBUG", 10)])
def test_the_code_logs_at_its_own_level_whatever_lambda_filters(
    monkeypatch: pytest.MonkeyPatch, level: str, least: int
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"levels-{level}")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "DEBUG" if level == "DEBUG" else "INFO")
    log = logging.getLogger(observability.logger.__wrapped__().name)
    assert log.isEnabledFor(least)
    assert not log.isEnabledFor(least - 1)


def placed(trace: str | None = None) -> str:
    """The body of a message that tells of a placed order."""
    detail = json.loads((EXAMPLES / "order.placed.v1.json").read_text())
    if trace:
        detail["meta"]["trace"] = f"Root={trace};Parent=ab;Sampled=1"
    event = {"id": "e", "detail-type": "order.placed.v1", "source": "millrace.ordering"}
    return json.dumps({**event, "time": "t", "detail": detail})


META = json.loads(placed())["detail"]["meta"]
ABOUT = {
    "correlation_id": META["correlation_id"],
    "causation_id": META["causation_id"],
    "event_id": META["id"],
    "event_type": "order.placed.v1",
    "subject": META["subject"],
}


def test_a_handled_event_is_annotated_with_what_it_is_and_where_it_comes_from(sent: Sent) -> None:
    message = sqs_event(placed(), trace=f"Root={TRACE};Parent=ab;Sampled=1")
    inbox.consume(message, inbox.typed({OrderPlacedV1: lambda _: None}), sqs=FakeSqs())
    assert sent.facts("## handle") == [{**ABOUT, "upstream": TRACE}]


def test_a_batch_is_searched_by_correlation_and_subject_and_stays_within_the_index(
    sent: Sent,
) -> None:
    @observability.instrumented
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        handle = inbox.typed({OrderPlacedV1: lambda _: None})
        return inbox.consume(event, handle, sqs=FakeSqs())

    handler(sqs_event(*[placed(TRACE)] * 10), CONTEXT)
    handled = sent.annotations("## handle")
    assert handled == [{name: META[name] for name in ("correlation_id", "subject")}] * 10
    indexed = sum(len(segment.get("annotations", {})) for segment in sent.segments)
    assert indexed <= 50, "X-Ray indexes so many annotations of a trace"


def test_what_is_not_indexed_is_read_from_the_document(sent: Sent) -> None:
    handle = inbox.typed({OrderPlacedV1: lambda _: None})
    inbox.consume(sqs_event(placed(TRACE)), handle, sqs=FakeSqs())
    read = spans(msgspec.convert(segment, Document) for segment in sent.segments)
    (handled,) = [span for span in read if span.name == "handle"]
    assert {name: handled.text(name) for name in ABOUT} == ABOUT
    assert handled.text("upstream") == TRACE


def test_a_message_that_lost_its_header_is_linked_by_what_the_event_remembers(sent: Sent) -> None:
    handle = inbox.typed({OrderPlacedV1: lambda _: None})
    inbox.consume(sqs_event(placed(TRACE)), handle, sqs=FakeSqs())
    assert sent.facts("## handle") == [{**ABOUT, "upstream": TRACE}]


def test_a_record_that_fails_is_a_fault_in_the_trace_and_its_neighbour_is_none(sent: Sent) -> None:
    answer = inbox.consume(
        sqs_event("{}", placed()), inbox.typed({OrderPlacedV1: lambda _: None}), sqs=FakeSqs()
    )
    assert len(answer["batchItemFailures"]) == 1
    (handled,) = sent.named("## handle")
    assert not handled.get("fault")

    def fail(_: Any) -> None:
        raise TimeoutError("slow")

    inbox.consume(sqs_event(placed()), inbox.typed({OrderPlacedV1: fail}), sqs=FakeSqs())
    assert sent.named("## handle")[-1]["fault"] is True


def test_an_event_that_breaks_its_contract_is_found_by_its_correlation(
    sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    broken = json.loads(placed(TRACE))
    broken["detail"]["data"] = {}
    handle = inbox.typed({OrderPlacedV1: lambda _: None})
    inbox.consume(sqs_event(json.dumps(broken)), handle, sqs=FakeSqs())
    assert sent.facts("## handle") == [{**ABOUT, "upstream": TRACE}]
    (line,) = caplog.records
    assert line.getMessage() == "record failed"
    assert {name: getattr(line, name) for name in ABOUT} == ABOUT


def request(call: Any) -> Any:
    @observability.instrumented
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        return Api("test", [Route("GET", "/it", call, public=True)]).respond(event)

    return handler(
        {
            "routeKey": "GET /it",
            "headers": {"x-correlation-id": "click-12345"},
            "requestContext": {"requestId": "r-1"},
        },
        CONTEXT,
    )


def test_a_request_is_annotated_with_its_route_function_correlation_and_answer(sent: Sent) -> None:
    assert request(lambda _: {"fine": True})["statusCode"] == 200
    (seen,) = sent.annotations("## handler")
    assert seen.pop("ColdStart") in (True, False)
    assert seen.pop("Service")
    assert seen == {
        "correlation_id": "click-12345",
        "function": "millrace-test-function",
        "route": "GET /it",
        "status": 200,
    }


@pytest.mark.parametrize(("status", "fault"), [(404, False), (500, True)])
def test_only_our_own_faults_are_faults_in_the_trace(sent: Sent, status: int, fault: bool) -> None:
    def refuse(_: Any) -> None:
        raise Problem(404, "Not found") if status == 404 else RuntimeError("ours")

    assert request(refuse)["statusCode"] == status
    (segment,) = sent.named("## handler")
    assert segment["annotations"]["status"] == status
    assert segment.get("fault", False) is fault


def entry(number: int) -> dict[str, Any]:
    meta = {**META, "id": f"event-{number}"}
    header = f"Root={TRACE};Parent=ab;Sampled=1"
    detail = json.dumps({"meta": meta, "data": {}})
    return {"DetailType": "order.placed.v1", "Detail": detail, "TraceHeader": header}


def test_each_event_that_the_bus_takes_is_a_step_linked_to_its_own_trace(sent: Sent) -> None:
    def put_events(**_: Any) -> dict[str, Any]:
        return {"Entries": [{"EventId": "1"}, {"ErrorCode": "Throttled"}, {"EventId": "3"}]}

    broken = {"DetailType": "x.y.v1", "Detail": "{}"}
    with observability.step("batch"):
        traced(put_events)(Entries=[entry(1), entry(2), broken])
    (batch,) = sent.named("## batch")
    (step,) = sent.named("## publish")
    assert sent.facts("## publish") == [{**ABOUT, "event_id": "event-1", "upstream": TRACE}]
    assert set(step["annotations"]) == {"correlation_id", "subject"}
    assert step["parent_id"] == batch["id"]
    assert batch["start_time"] <= step["start_time"] <= step["end_time"] <= batch["end_time"]


def test_an_unsampled_invocation_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with traced_invocation(monkeypatch, sampled=False) as sent:
        assert not observability.is_traced()
        inbox.consume(
            sqs_event(placed(TRACE)), inbox.typed({OrderPlacedV1: lambda _: None}), sqs=FakeSqs()
        )
        assert request(lambda _: {})["statusCode"] == 200
    assert sent.segments == []


def test_work_carried_to_other_threads_stays_below_the_step_that_started_it(sent: Sent) -> None:
    def work(number: int) -> int:
        with observability.step("part", number=number):
            return number * number

    with observability.step("whole"), ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(observability.carried(work), range(20))) == 2470
    (whole,) = sent.named("## whole")
    parts = sent.named("## part")
    assert sorted(part["annotations"]["number"] for part in parts) == list(range(20))
    assert {part["parent_id"] for part in parts} == {whole["id"]}


def test_untraced_work_in_other_threads_leaves_nothing_and_the_next_step_is_there(
    sent: Sent,
) -> None:
    def work(number: int) -> int:
        with observability.step("one of very many"):
            return number * number

    with observability.step("whole"):
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(observability.untraced(work), range(20))) == 2470
        with observability.step("after"):
            pass
    assert [segment["name"] for segment in sent.segments] == ["## after", "## whole"]


def test_annotations_are_cut_to_what_xray_takes_and_empty_ones_left_out(sent: Sent) -> None:
    with observability.step("long", subject="image/" + "k" * 1018, nothing=""):
        pass
    (seen,) = sent.annotations("## long")
    assert list(seen) == ["subject"]
    assert len(seen["subject"]) == 1000


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (f"Root={TRACE};Parent=ab;Sampled=1", TRACE),
        (f"Sampled=1; Root={TRACE}", TRACE),
        ("", ""),
        (None, ""),
    ],
)
def test_the_trace_is_read_from_its_header(header: str | None, wanted: str) -> None:
    assert observability.trace_id(header) == wanted
