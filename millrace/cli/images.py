"""`millrace upload` and `millrace images`: pictures in, manifests out."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from millrace import environments
from millrace.cli.console import EnvironmentOption, JsonOption, out, print_json
from millrace.cli.screen import styled
from millrace.errors import MillraceError
from millrace.images import Images, Manifest

images = typer.Typer(help="Look at pictures and their renditions.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.command()(upload)
    images.command()(show)
    images.command(name="list")(list_images)
    app.add_typer(images, name="images")


def upload(
    files: Annotated[list[Path], typer.Argument(help="Files to upload.")],
    key: Annotated[str | None, typer.Option(help="The key, for a single file.")] = None,
    prefix: Annotated[str, typer.Option(help="Put before each file's name, e.g. trip/.")] = "",
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Upload pictures; their renditions follow on their own.

    The key is the file's name unless said otherwise. See [bold]millrace images show KEY[/].
    """
    if key is not None and (len(files) > 1 or prefix):
        raise MillraceError("--key names one file: give one FILE and no --prefix.")
    pipeline = Images(environments.load(environment))
    uploads = [pipeline.upload(file, key or f"{prefix}{file.name}") for file in files]
    if json_output:
        print_json([{"bucket": pipeline.uploads, "key": u.key, "bytes": u.bytes} for u in uploads])
        return
    for done in uploads:
        out.print(f"{done.path} -> s3://{pipeline.uploads}/{done.key}", soft_wrap=True)


def show(
    key: Annotated[str, typer.Argument(help="The key of the picture in the uploads bucket.")],
    environment: EnvironmentOption = "local",
    json_output: JsonOption = False,
) -> None:
    """Show what became of a picture: rendered, rejected (and why), or still pending."""
    manifest = Images(environments.load(environment)).show(key)
    if json_output:
        print_json(manifest)
        return
    out.print(styled("[bold]{}[/] {}", manifest["status"], manifest["reason"] or ""))
    for name, value in manifest["metadata"].items():
        out.print(styled("  [dim]{}[/] {}", name, value))
    if manifest["renditions"]:
        out.print(_renditions(manifest))


def list_images(environment: EnvironmentOption = "local", json_output: JsonOption = False) -> None:
    """List every picture that was handled, the newest first within its status."""
    manifests = Images(environments.load(environment)).manifests()
    if json_output:
        print_json(list(manifests))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("status", "key", "renditions", "reason"):
        table.add_column(heading, overflow="fold")
    for manifest in manifests:
        count = str(len(manifest["renditions"]))
        key = manifest["source"]["key"]
        table.add_row(manifest["status"], key, count, manifest["reason"] or "")
    out.print(table)


def _renditions(manifest: Manifest) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("name", "format", "size", "bytes", "key"):
        table.add_column(heading, overflow="fold")
    for rendition in manifest["renditions"]:
        size = f"{rendition['width']} x {rendition['height']}"
        table.add_row(
            rendition["name"], rendition["format"], size, str(rendition["bytes"]), rendition["key"]
        )
    return table
