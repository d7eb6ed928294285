"""Function: devices, their rollups and their anomalies over HTTP, for those who may read them."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.core import observability, settings
from lambdas.core.http import Api, Request, Route
from lambdas.core.table_store import Table
from lambdas.telemetry.queries_anomalies import AnomalyPage, AnomalyQuery, anomalies_of
from lambdas.telemetry.queries_devices import DevicePage, DeviceQuery, DeviceView, device, devices
from lambdas.telemetry.queries_metrics import MetricsQuery, Series, series_of
from lambdas.telemetry.types_store import types_in

SCOPE = "millrace/telemetry.read"


class Settings(msgspec.Struct, frozen=True):
    telemetry_table: str
    device_types_parameter: str


def list_devices(request: Request) -> DevicePage:
    """Every device that was ever heard, in order of id."""
    return devices(_table(), request.query)


def show_device(request: Request) -> DeviceView:
    """A device as last heard: its latest readings with their bands, and its open anomalies."""
    types = types_in(settings.load(Settings).device_types_parameter).types()
    return device(_table(), request.path["id"], types.thresholds)


def show_metrics(request: Request) -> Series:
    """What a device measured, by minute or by hour.

    Each point counts every record that has arrived for it, whether late or a moment ago; a point
    without records is left out.
    """
    return series_of(_table(), request.path["id"], request.query, now=_now())


def list_anomalies(request: Request) -> AnomalyPage:
    """The anomalies that began on one day, or those of one device, newest first.

    An anomaly appears in its day's list some milliseconds after it is written.
    """
    return anomalies_of(_table(), request.query)


API = Api(
    "telemetry",
    [
        Route("GET", "/devices", list_devices, returns=DevicePage, query=DeviceQuery, scope=SCOPE),
        Route("GET", "/devices/{id}", show_device, returns=DeviceView, scope=SCOPE, refuses=(404,)),
        Route(
            "GET",
            "/devices/{id}/metrics",
            show_metrics,
            returns=Series,
            query=MetricsQuery,
            scope=SCOPE,
            refuses=(404,),
        ),
        Route(
            "GET",
            "/anomalies",
            list_anomalies,
            returns=AnomalyPage,
            query=AnomalyQuery,
            scope=SCOPE,
        ),
    ],
)


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return API.respond(event)


def _table() -> Table:
    return Table(settings.load(Settings).telemetry_table)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
