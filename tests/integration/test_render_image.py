"""`render_image`, from S3's event to renditions, manifest and outbox; any number of times."""

import io
import itertools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from lambdas.core import aws
from lambdas.image_pipeline.render_image import handler
from tests.fakes import sqs_event

CONTEXT = SimpleNamespace(
    function_name="render-image",
    memory_limit_in_mb=2048,
    invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:render-image",
    aws_request_id="r-1",
)
PROFILE = {
    "widths": [32, 64],
    "formats": {"jpeg": {"quality": 80}, "webp": {"quality": 80, "effort": 2}},
    "background": "#ffffff",
    "limits": {"max_bytes": 200_000, "max_pixels": 1_000_000, "max_frames": 10},
}


def jpeg(width: int = 100, height: int = 50, colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


class World:
    """The pipeline's buckets and table, with the verbs of the story."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.table = boto3.resource("dynamodb").Table("images")
        self._sequence = itertools.count(0x5E0)

    def upload(self, key: str, content: bytes) -> dict[str, Any]:
        """Put an object; returns the event that S3 would send."""
        put = self.s3.put_object(Bucket="uploads", Key=key, Body=content)
        return {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "111111111111",
            "time": "2026-11-21T09:30:15Z",
            "region": "eu-west-1",
            "resources": ["arn:aws:s3:::uploads"],
            "detail": {
                "version": "0",
                "bucket": {"name": "uploads"},
                "object": {
                    "key": key,
                    "size": len(content),
                    "etag": put["ETag"].strip('"'),
                    "version-id": put["VersionId"],
                    "sequencer": f"{next(self._sequence):018X}",
                },
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": "111111111111",
                "source-ip-address": "127.0.0.1",
                "reason": "PutObject",
            },
        }

    def deliver(self, *events: dict[str, Any]) -> list[str]:
        """Give the function these events; returns the ids of the records it failed."""
        answer = handler(sqs_event(*map(json.dumps, events)), CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def manifest(self, key: str) -> dict[str, Any]:
        item = self.table.get_item(Key={"pk": f"image/{key}", "sk": "state"})["Item"]
        parsed: dict[str, Any] = json.loads(str(item["manifest"]))
        return parsed

    def outbox(self, key: str) -> list[tuple[str, int]]:
        """Type and sequence of every event written for a key, in order."""
        found = self.table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues={":pk": f"image/{key}", ":event": "event#"},
        )["Items"]
        rows = [(str(i["type"]), json.loads(str(i["detail"]))["meta"]["sequence"]) for i in found]
        return sorted(rows, key=lambda row: int(row[1]))

    def renditions(self) -> dict[str, str]:
        found = self.s3.list_objects_v2(Bucket="renditions").get("Contents", [])
        return {entry["Key"]: entry["ETag"] for entry in found}


@pytest.fixture
def world(
    make_table: Callable[..., str],
    make_bucket: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setenv("IMAGES_TABLE", make_table("images"))
    monkeypatch.setenv("RENDITIONS_BUCKET", make_bucket("renditions"))
    monkeypatch.setenv("RENDITION_PROFILE", json.dumps(PROFILE))
    make_bucket("uploads", versioned=True)
    return World()


@pytest.fixture
def s3_answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Let every GetObject fail with a code and a message."""

    def answer(code: str, message: str) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")

        monkeypatch.setattr(aws.client("s3"), "get_object", refuse)

    return answer


def test_an_upload_becomes_renditions_a_manifest_and_one_event(world: World) -> None:
    assert world.deliver(world.upload("a b/é+1.JPG", jpeg())) == []
    manifest = world.manifest("a b/é+1.JPG")
    assert manifest["status"] == "rendered"
    assert {(r["name"], r["format"]) for r in manifest["renditions"]} == {
        (name, form) for name in ("w32", "w64") for form in ("jpeg", "webp")
    }
    for rendition in manifest["renditions"]:
        stored = world.s3.get_object(Bucket="renditions", Key=rendition["key"])
        picture = stored["Body"].read()
        assert len(picture) == rendition["bytes"]
        assert Image.open(io.BytesIO(picture)).size == (rendition["width"], rendition["height"])
        assert stored["ContentType"] == f"image/{rendition['format']}"
    assert world.outbox("a b/é+1.JPG") == [("image.rendered.v1", 1)]


def test_the_same_event_twice_changes_nothing(world: World) -> None:
    event = world.upload("k", jpeg())
    world.deliver(event)
    before = (world.manifest("k"), world.renditions(), world.outbox("k"))
    assert world.deliver(event, event) == []
    assert (world.manifest("k"), world.renditions(), world.outbox("k")) == before


def test_an_older_event_that_comes_late_replaces_nothing(world: World) -> None:
    older, newer = world.upload("k", jpeg(colour="red")), world.upload("k", jpeg(colour="blue"))
    world.deliver(newer)
    before = world.manifest("k")
    assert world.deliver(older) == []
    assert world.manifest("k") == before
    assert world.outbox("k") == [("image.rendered.v1", 1)]


def test_a_newer_upload_of_the_key_replaces_the_manifest(world: World) -> None:
    world.deliver(world.upload("k", jpeg(colour="red")))
    world.deliver(world.upload("k", b"not a picture"))
    assert world.manifest("k")["status"] == "rejected"
    assert world.outbox("k") == [("image.rendered.v1", 1), ("image.rejected.v1", 2)]


def test_a_bad_file_is_refused_once_with_its_reason_and_never_retried(world: World) -> None:
    event = world.upload("bad.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert world.deliver(event, event) == []
    manifest = world.manifest("bad.jpg")
    assert manifest["status"] == "rejected"
    assert manifest["reason"]
    assert manifest["source"]["key"] == "bad.jpg"
    assert world.outbox("bad.jpg") == [("image.rejected.v1", 1)]


def test_a_file_over_the_byte_limit_is_refused_unread(world: World) -> None:
    world.deliver(world.upload("big.jpg", b"\xff" * 200_001))
    assert world.manifest("big.jpg")["reason"] == "too-many-bytes"


@pytest.mark.parametrize("key", ["photos/", "a/b/", "/", "a b/é+/", "logs_$folder$"])
def test_an_empty_folder_is_ignored_and_counted(
    world: World, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    assert world.deliver(world.upload(key, b"")) == []
    assert world.outbox(key) == []
    assert world.renditions() == {}
    assert '"FoldersIgnored":[1.0]' in capsys.readouterr().out


def test_a_picture_under_a_folders_name_is_a_picture_and_an_empty_file_is_none(
    world: World,
) -> None:
    world.deliver(world.upload("photos/", jpeg()), world.upload("photos", b""))
    assert world.manifest("photos/")["status"] == "rendered"
    assert world.manifest("photos")["reason"] == "empty"


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters "
            "must be provided to retrieve the object.",
            "encrypted",
        ),
        (
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
            "archived",
        ),
    ],
)
def test_an_upload_that_only_its_owner_can_open_is_refused(
    world: World, s3_answers: Callable[[str, str], None], code: str, message: str, reason: str
) -> None:
    event = world.upload("k", jpeg())
    s3_answers(code, message)
    assert world.deliver(event) == []
    assert world.manifest("k")["reason"] == reason
    assert world.outbox("k") == [("image.rejected.v1", 1)]


@pytest.mark.parametrize(
    ("code", "message"),
    [("InvalidRequest", "Missing something"), ("AccessDenied", "no"), ("SlowDown", "later")],
)
def test_any_other_trouble_of_s3_is_tried_again(
    world: World, s3_answers: Callable[[str, str], None], code: str, message: str
) -> None:
    event = world.upload("k", jpeg())
    s3_answers(code, message)
    assert world.deliver(event) == ["message-0"]
    assert world.outbox("k") == []


def test_a_bad_file_does_not_fail_its_neighbours(world: World) -> None:
    events = [world.upload("1", jpeg()), world.upload("2", b""), world.upload("3", jpeg())]
    assert world.deliver(*events) == []
    assert [world.manifest(key)["status"] for key in "123"] == ["rendered", "rejected", "rendered"]


def test_an_upload_that_was_deleted_meanwhile_is_let_go(world: World) -> None:
    event = world.upload("k", jpeg())
    world.s3.delete_object(
        Bucket="uploads", Key="k", VersionId=event["detail"]["object"]["version-id"]
    )
    assert world.deliver(event) == []
    assert world.outbox("k") == []


def test_trouble_that_is_not_the_files_fault_is_retried(world: World) -> None:
    event = world.upload("k", jpeg())
    world.s3.delete_bucket(Bucket="renditions")
    assert world.deliver(event) == ["message-0"]
    assert world.outbox("k") == []


def test_another_service_event_is_failed_not_dropped(world: World) -> None:
    event = world.upload("k", jpeg())
    assert world.deliver({**event, "detail-type": "Object Deleted"}) == ["message-0"]


def test_a_new_profile_renders_the_same_upload_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.upload("k", jpeg())
    world.deliver(event)
    from lambdas.core import settings

    settings.load.cache_clear()
    monkeypatch.setenv("RENDITION_PROFILE", json.dumps({**PROFILE, "widths": [16]}))
    world.deliver(event)
    assert {r["name"] for r in world.manifest("k")["renditions"]} == {"w16"}
    assert world.outbox("k") == [("image.rendered.v1", 1), ("image.rendered.v1", 2)]
