"""Function: keep the read side up to date from the stream of the orders table."""

from typing import Any

import msgspec

from lambdas.core import observability, settings
from lambdas.core.quarantine import quarantine_in
from lambdas.core.table_store import Table
from lambdas.ordering.orders import orders_in
from lambdas.ordering.projection_store import PointerStore
from lambdas.ordering.projector import Projector
from lambdas.ordering.read_side import ViewSettings


class Settings(msgspec.Struct, frozen=True):
    quarantine_bucket: str
    aws_lambda_function_name: str


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> None:
    config, views = settings.load(Settings), settings.load(ViewSettings)
    table = Table(views.orders_table)
    # Read afresh for every batch: a rebuild counts on each later batch being written to both.
    pointer = PointerStore(table).read()
    projector = Projector(
        orders_in(table),
        [views.view(name) for name in pointer.written],
        trust_rows=pointer.building is None,
        quarantine=quarantine_in(config.quarantine_bucket, config.aws_lambda_function_name),
    )
    observability.count("RowsWritten", projector.consume(event["Records"]))
