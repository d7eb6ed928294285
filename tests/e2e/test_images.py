"""Upload a file, get its renditions; whatever is uploaded, and whatever breaks meanwhile."""

import contextlib
import io
import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from millrace import traces
from millrace.local_aws import LocalAws
from tests.e2e.world import SUMS, Tap, World, wait_until, wait_while

IMAGE_EVENTS = {"source": ["millrace.image-pipeline"]}
BAD = (b"", b"plain text", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff\xe0 cut")


def picture(width: int, height: int, seed: int = 0, form: str = "JPEG") -> bytes:
    """A picture of smooth colour with some noise: quick to make, not trivial to encode."""
    dice = random.Random(seed)
    tile = Image.frombytes("RGB", (16, 16), dice.randbytes(16 * 16 * 3))
    out = io.BytesIO()
    tile.resize((width, height), Image.Resampling.BICUBIC).save(out, form)
    return out.getvalue()


def settled(world: World, key: str) -> dict[str, Any]:
    return wait_until(f"an outcome for {key!r}", lambda: world.manifest(key))


@pytest.mark.parametrize(
    "key",
    [
        "plain.jpg",
        "with spaces and + plus.JPG",
        "ünïcode/写真/📷.jpeg",
        "no-extension",
        "wrong-extension.png",
        "100%25 & more?=#.jpg",
        "deep/" + "k" * 1010 + ".jpg",
    ],
    ids=lambda key: key[:20],
)
def test_any_key_is_rendered(world: World, key: str) -> None:
    assert len(key.encode()) <= 1024
    world.upload(key, picture(700, 400))
    manifest = settled(world, key)
    assert manifest["status"] == "rendered", manifest
    assert manifest["source"]["key"] == key
    assert {(r["format"], r["width"]) for r in manifest["renditions"]} == {
        (form, width) for form in ("jpeg", "webp") for width in (320, 640, 700)
    }
    for rendition in manifest["renditions"]:
        stored = world.client("s3").get_object(
            Bucket=world.outputs["renditions_bucket"], Key=rendition["key"]
        )
        content = stored["Body"].read()
        assert len(content) == rendition["bytes"]
        with Image.open(io.BytesIO(content)) as image:
            assert image.size == (rendition["width"], rendition["height"])
            assert image.format == rendition["format"].upper()


def test_a_multipart_upload_is_rendered(world: World) -> None:
    s3, bucket, key = world.client("s3"), world.outputs["uploads_bucket"], "multi part.jpg"
    content = picture(3000, 2000, seed=3)
    content += b"\0" * (6 * 1024 * 1024 - len(content))  # what follows a JPEG's end is ignored
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(content), 5 * 1024 * 1024), start=1):
        part = s3.upload_part(
            Bucket=bucket,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            Body=content[start : start + 5 * 1024 * 1024],
        )
        parts.append({"ETag": part["ETag"], "PartNumber": number})
    s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    assert len(parts) > 1
    assert settled(world, key)["status"] == "rendered"


def test_two_hundred_mixed_uploads_are_each_settled_once_and_redelivery_changes_nothing(
    world: World, tap: Callable[..., Tap]
) -> None:
    images = tap(IMAGE_EVENTS)
    uploads = tap({"source": ["aws.s3"]}, bus="default")
    keys = [f"many/{number:03}" for number in range(200)]
    bad = set(keys[::10])
    content = {
        key: BAD[n // 10 % len(BAD)] if key in bad else picture(400 + n, 300, seed=n)
        for n, key in enumerate(keys)
    }
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: world.upload(key, content[key]), keys))

    def all_settled() -> dict[str, dict[str, Any]] | None:
        seen = world.manifests("many/")
        return seen if len(seen) == len(keys) else None

    before = wait_until("200 outcomes", all_settled, seconds=180)
    assert {key for key, seen in before.items() if seen["status"] == "rejected"} == bad
    assert all(seen["reason"] for key, seen in before.items() if key in bad)
    expected = {
        ("image.rejected.v1" if key in bad else "image.rendered.v1", f"image/{key}"): 1
        for key in keys
    }
    wait_until("one event each", lambda: dict(images.counted()) == expected)

    # The same S3 events once more, straight into the inbox.
    inbox = world.outputs["inboxes"]["render-image"]
    announced = wait_until(
        "S3's own events", lambda: uploads.events() if len(uploads.events()) >= 200 else None
    )
    sqs = world.client("sqs")
    for event in announced:
        sqs.send_message(QueueUrl=inbox, MessageBody=json.dumps(event))
    wait_while("waiting", lambda: world.depth(inbox))
    assert world.manifests("many/") == before
    assert dict(images.counted()) == expected
    assert world.dead_letters() == {}
    SUMS.append(
        f"200 uploads: {len(keys) - len(bad)} rendered, {len(bad)} refused, each once; DLQ 0"
    )


def test_a_function_killed_in_mid_render_and_throttled_loses_nothing(
    world: World, tap: Callable[..., Tap]
) -> None:
    images = tap(IMAGE_EVENTS)
    name = world.outputs["functions"]["render-image"]
    awslambda = world.client("lambda")
    keys = [f"faults/{number}.jpg" for number in range(12)]
    large = picture(6000, 4000, seed=1)
    killed = threading.Event()
    inbox = world.outputs["inboxes"]["render-image"]
    # What a dead process held comes back after the visibility timeout: six minutes are too long.
    world.client("sqs").set_queue_attributes(QueueUrl=inbox, Attributes={"VisibilityTimeout": "15"})

    def kill_once() -> bool:
        """Kill a worker while it is at work: it uses the processor only when it renders."""
        for worker in world.workers("render-image"):
            with contextlib.suppress(psutil.NoSuchProcess):
                if worker.cpu_percent(interval=0.05) > 20:
                    worker.kill()
                    killed.set()
        return killed.is_set()

    for key in keys[:6]:
        world.upload(key, large)
    wait_until("a worker to kill at work", kill_once)

    awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for key in keys[6:]:
        world.upload(key, large)
    wait_until("uploads waiting in the inbox", lambda: world.depth(inbox) >= 6)
    awslambda.delete_function_concurrency(FunctionName=name)

    def all_rendered() -> bool:
        return all((world.manifest(key) or {}).get("status") == "rendered" for key in keys)

    wait_until("all rendered after the faults", all_rendered, seconds=240)
    expected = {("image.rendered.v1", f"image/{key}"): 1 for key in keys}
    wait_until("one event each", lambda: dict(images.counted()) == expected)
    assert world.dead_letters() == {}


def test_a_newer_upload_of_a_key_wins(world: World) -> None:
    world.upload("again.jpg", picture(500, 300, seed=1))
    first = settled(world, "again.jpg")
    world.upload("again.jpg", picture(600, 300, seed=2))
    second = wait_until(
        "the second manifest",
        lambda: m if (m := world.manifest("again.jpg")) != first else None,
    )
    assert max(r["width"] for r in second["renditions"]) == 600


def test_a_rendered_picture_leaves_a_trace_of_its_steps(world: World, local_aws: LocalAws) -> None:
    world.upload("traced.jpg", picture(500, 300))
    settled(world, "traced.jpg")
    row = world.state("traced.jpg")
    assert row is not None
    trace_id = traces.trace_id_of(row["trace"])
    assert trace_id is not None

    def names() -> set[str]:
        found: set[str] = set()

        def walk(segment: dict[str, Any]) -> None:
            found.add(segment["name"])
            for inner in segment.get("subsegments", []):
                walk(inner)

        for segment in traces.of_trace(local_aws.traces, trace_id):
            walk(segment)
        return found

    wanted = {"## read source", "## render", "## write renditions"}
    wait_until("the steps in the trace", lambda: wanted <= names())


def test_photographs_that_come_with_the_project_are_rendered_without_their_secrets(
    world: World,
) -> None:
    photos = [p for p in (Path(__file__).parents[2] / "demo" / "photos").iterdir() if p.is_file()]
    pictures = [p for p in photos if p.suffix.lower() != ".md" and "not-really" not in p.name]
    assert len(pictures) >= 4
    for photo in pictures:
        world.upload(f"photos/{photo.name}", photo.read_bytes())
    for photo in pictures:
        manifest = settled(world, f"photos/{photo.name}")
        assert manifest["status"] == "rendered", manifest
        assert not any("gps" in name.lower() for name in manifest["metadata"])
        for rendition in manifest["renditions"]:
            stored = world.client("s3").get_object(
                Bucket=world.outputs["renditions_bucket"], Key=rendition["key"]
            )
            with Image.open(io.BytesIO(stored["Body"].read())) as image:
                assert not image.getexif()
