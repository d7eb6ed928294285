"""What is said of a picture, against DynamoDB and S3 in process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from millrace.environments import Environment
from millrace.errors import MillraceError
from millrace.images import Images

REGION = "us-east-1"
NAMES = {"uploads_bucket": "uploads", "renditions_bucket": "renditions", "images_table": "images"}


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> Iterator[Images]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3", region_name=REGION).create_bucket(Bucket="uploads")
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName="images",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("pk", "sk", "status", "updated_at")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_status",
                    "KeySchema": [
                        {"AttributeName": "status", "KeyType": "HASH"},
                        {"AttributeName": "updated_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        yield Images(Environment("dev", {**NAMES, "region": REGION}))


def record(key: str, etag: str, event_id: str, minute: int = 0, **manifest: Any) -> None:
    """What the pipeline writes when it has handled an upload."""
    source = {"bucket": "uploads", "key": key, "version_id": None, "etag": etag}
    whole = {"status": "rendered", "source": source, "detail": None, **manifest}
    item = {
        "pk": f"image/{key}",
        "sk": "state",
        "status": whole["status"],
        "manifest": json.dumps(whole),
        "event_id": event_id,
        "updated_at": f"2026-01-01T00:{minute:02}:00.000Z",
    }
    boto3.client("dynamodb", region_name=REGION).put_item(
        TableName="images", Item={name: {"S": str(value)} for name, value in item.items()}
    )


def etag_of(key: str) -> str:
    head = boto3.client("s3", region_name=REGION).head_object(Bucket="uploads", Key=key)
    return str(head["ETag"]).strip('"')


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"one")
    return path


def test_a_picture_is_pending_until_it_is_handled(images: Images, photo: Path) -> None:
    images.upload(photo, "ü +.jpg")
    manifest = images.show("ü +.jpg")
    assert manifest["status"] == "pending"
    assert manifest["source"]["etag"] == etag_of("ü +.jpg")
    record("ü +.jpg", etag_of("ü +.jpg"), "first")
    assert images.show("ü +.jpg")["status"] == "rendered"


def test_a_newer_upload_makes_a_picture_pending_again(images: Images, photo: Path) -> None:
    images.upload(photo, "key")
    record("key", etag_of("key"), "first")
    photo.write_bytes(b"two")
    images.upload(photo, "key")
    assert images.show("key")["status"] == "pending"


def test_the_manifest_outlives_its_upload(images: Images) -> None:
    record("key", "etag", "first", status="rejected", reason="empty")
    assert images.show("key")["reason"] == "empty"


def test_a_key_that_was_never_uploaded_is_an_error(images: Images) -> None:
    with pytest.raises(MillraceError, match="No picture 'nothing' in uploads"):
        images.show("nothing")


def test_pictures_are_listed_newest_first(images: Images) -> None:
    record("old", "e", "1", minute=1)
    record("new", "e", "2", minute=2)
    record("bad", "e", "3", minute=3, status="rejected", reason="empty")
    listed = [(one["status"], one["source"]["key"]) for one in images.manifests()]
    assert listed == [("rendered", "new"), ("rendered", "old"), ("rejected", "bad")]


def test_waiting_ends_with_the_new_event_and_not_with_the_one_before(
    images: Images, photo: Path
) -> None:
    record("key", "etag", "before")
    upload = images.upload(photo, "key")
    assert images.wait([upload], 0, lambda _: None) == {}
    record("key", etag_of("key"), "after")
    assert images.wait([upload], 10, lambda _: None)["key"].event_id == "after"


def test_what_is_no_file_is_refused(images: Images, tmp_path: Path) -> None:
    with pytest.raises(MillraceError, match="is no file"):
        images.upload(tmp_path / "missing.jpg", "key")
