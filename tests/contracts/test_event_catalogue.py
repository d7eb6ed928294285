"""docs/events.md is what the contracts, the code and Terraform say today, and says all of it."""

import re

import pytest

from lambdas.contracts.event import Event
from lambdas.contracts.registry import BY_TYPE, EVENTS
from lambdas.contracts.upcasters import UPCASTERS
from millrace import event_catalogue, event_flow
from millrace.errors import MillraceError
from millrace.event_words import WORDS, meaning
from millrace.paths import ROOT
from tests.contracts.test_events import each_event


@pytest.fixture(scope="module")
def page() -> str:
    return event_catalogue.PAGE.read_text()


def test_the_committed_catalogue_is_up_to_date(page: str) -> None:
    assert page == event_catalogue.text(), "run `make schemas`"


@each_event
def test_an_event_has_a_chapter_with_everything_about_it(page: str, event: type[Event]) -> None:
    chapter = re.split(r"^##", page.split(f"\n### {event.TYPE}\n")[1], flags=re.MULTILINE)[0]
    assert (event.__doc__ or "").splitlines()[0] in chapter
    assert re.search(r"^- Producer: \S", chapter, re.MULTILINE)
    assert re.search(r"^- Consumers: \S", chapter, re.MULTILINE)
    for name in event.__struct_fields__:
        assert f"| `{name}` |" in chapter
    assert "```json\n{" in chapter


@each_event
def test_the_newest_version_of_an_event_is_made_by_its_source_and_an_old_one_by_nobody(
    event: type[Event],
) -> None:
    assert bool(event_flow.producers(event)) == (event not in UPCASTERS)


def test_every_subscription_is_to_an_event_that_there_is() -> None:
    assert len(event_flow.consumers()) > 10
    assert set(event_flow.consumers()) <= set(BY_TYPE)


def test_every_type_that_an_inbox_file_names_is_found_in_a_subscription() -> None:
    named: set[tuple[str, str]] = set()
    for path in ROOT.glob("modules/*/inboxes.tf"):
        types = re.findall(r'"([a-z_]+\.[a-z_]+\.v\d+)"', path.read_text())
        named |= {(path.parent.name, token) for token in types}
    found = {(m, token) for token, who in event_flow.consumers().items() for m, _ in who}
    assert found == named != set()


def test_the_events_of_aws_and_the_readers_of_a_stream_are_told(page: str) -> None:
    assert event_flow.of_aws() == [("aws.s3", "Object Created", "image-pipeline", "render-image")]
    assert event_flow.projections() == {"millrace.ordering": ["project-orders"]}
    assert "`render-image` of image-pipeline" in page
    assert "`project-orders`" in page


def test_no_word_is_explained_that_no_event_uses() -> None:
    parts = event_catalogue._parts(EVENTS)
    used = {field for kind in (*EVENTS, *parts) for field in kind.__struct_fields__}
    assert set(WORDS) - used == set()


def test_a_text_below_a_field_goes_before_the_common_word() -> None:
    rejected = BY_TYPE["image.rejected.v1"]
    assert meaning(rejected, "reason") != WORDS["reason"]
    assert meaning(rejected, "detail") == WORDS["detail"]
    with pytest.raises(MillraceError, match=r"ImageRejectedV1\.no_such_field: say what it means"):
        meaning(rejected, "no_such_field")
