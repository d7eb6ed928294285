"""Replay telemetry: what the raw files say of a span against the live rollups, and the swap."""

import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from lambdas.core.table_store import Table
from lambdas.telemetry import keys
from lambdas.telemetry.committing import Committer
from lambdas.telemetry.device_store import DeviceStore
from lambdas.telemetry.device_types import DeviceTypes
from lambdas.telemetry.records import Limits
from millrace.errors import MillraceError
from millrace.telemetry.lake import HOUR_MS, Lake, RawFile
from millrace.telemetry.replay_compare import Comparison, Difference
from millrace.telemetry.replay_feed import Feed
from millrace.telemetry.replay_shadow import ShadowTable

MOST_LISTED = 1000
_AT_ONCE = 8


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """`done` of `total` files, then of `total` devices, are through."""

    what: str
    done: int
    total: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, compared and overwritten; windows are counted by device, minute and hour.

    `differences` lists the first MOST_LISTED. `swapped` were overwritten; `moved` were written by
    somebody else meanwhile, and `still_open` and `too_young` cannot be overwritten yet: replay
    those again later. `live_knows_more` are never overwritten.
    """

    run: str
    begin: str
    end: str
    files: int
    records: int
    devices: int
    compared: int
    equal: int
    missing: int
    different: int
    only_live: int
    still_open: int
    too_young: int
    live_knows_more: int
    swapped: int
    moved: int
    differences: list[Difference]
    shadow_removed: bool
    seconds: float

    @property
    def unresolved(self) -> int:
        """Windows that are still not what the raw files say."""
        return self.missing + self.different - self.swapped


class TelemetryReplay:
    """One environment's telemetry. `client` is a botocore DynamoDB client."""

    def __init__(
        self,
        table: str,
        client: Any,
        lake: Lake,
        types: DeviceTypes,
        limits: Limits,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._name = table
        self._client = client
        self._lake = lake
        self._types = types
        self._limits = limits
        self._tell = on_progress

    def run(
        self,
        begin: dt.datetime,
        end: dt.datetime,
        *,
        swap: bool = False,
        restart: bool = False,
        now: dt.datetime,
    ) -> Report:
        """Build the shadow of a span, compare, and with `swap` overwrite what differs.

        `now` is not after the raw files are listed. A window is overwritten once no record of it
        can have come since: `lateness_hours` after its end; and never when it would lose readings.
        The span is widened to whole hours. A replay of the same span goes on where it was left,
        unless told to `restart`. The shadow stays until it is swapped, or nothing differs. Raises
        MillraceError when a raw file is broken, or a begun replay's files are gone.
        """
        started = time.monotonic()
        first, last = _hours(begin, end)
        run = f"{_compact(first)}-{_compact(last)}"
        shadow = ShadowTable(self._name, run, self._client)
        if restart:
            shadow.remove()
        files = self._files(first, last, now)
        done = self._feed(shadow).work_off(
            files,
            lambda at: self._tell(Progress(what="files", done=at.files, total=len(files))),
        )
        settled = (now.timestamp() - self._limits.lateness_hours * 3600) * 1000
        comparison = self._compared(shadow, first, last, settled, swap=swap)
        counts, listed = comparison.counts, comparison.listed
        unresolved = counts["missing"] + counts["different"] - counts["swapped"]
        removed = swap or not unresolved
        if removed:
            shadow.remove()
        return Report(
            run=run,
            begin=keys.iso(first),
            end=keys.iso(last),
            files=done.files,
            records=done.records,
            devices=counts["devices"],
            compared=counts["compared"],
            equal=counts["compared"]
            - sum(counts[n] for n in ("missing", "different", "only live")),
            missing=counts["missing"],
            different=counts["different"],
            only_live=counts["only live"],
            still_open=counts["still open"],
            too_young=counts["too young"],
            live_knows_more=counts["live knows more"],
            swapped=counts["swapped"],
            moved=counts["moved"],
            differences=listed,
            shadow_removed=removed,
            seconds=time.monotonic() - started,
        )

    def _files(self, begin: int, end: int, now: dt.datetime) -> list[RawFile]:
        """Where records with a time in the span can be: they come a little early, or late."""
        early = round(self._limits.future_seconds * 1000)
        late = round(self._limits.lateness_hours * HOUR_MS)
        return self._lake.files(begin - early, min(end + late, int(now.timestamp() * 1000) + 1))

    def _feed(self, shadow: ShadowTable) -> Feed:
        committer = Committer(
            DeviceStore(shadow),
            self._types,
            set_aside=lambda _: None,  # what is refused is in quarantine already
            keep_days=self._limits.rollup_days,
            trace=None,
            clock=lambda: dt.datetime.now(dt.UTC),
        )
        return Feed(self._lake, shadow, committer)

    def _compared(
        self, shadow: ShadowTable, begin: int, end: int, settled: float, *, swap: bool
    ) -> Comparison:
        live = Table(self._name, self._client)
        known = (str(item["sk"]) for item in live.query(keys.REGISTRY))
        devices = sorted({*known, *shadow.devices()})
        comparison = Comparison(
            DeviceStore(live),
            DeviceStore(shadow),
            settled,
            self._limits.rollup_days if swap else None,
        )
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            each = pool.map(lambda device: comparison.of_device(device, begin, end), devices)
            for number, (counts, listed) in enumerate(each, start=1):
                comparison.counts += counts
                comparison.listed += listed[: MOST_LISTED - len(comparison.listed)]
                self._tell(Progress(what="devices", done=number, total=len(devices)))
        return comparison


def _hours(begin: dt.datetime, end: dt.datetime) -> tuple[int, int]:
    """The span in ms, widened to whole hours, so that every hour's rollup is whole."""
    first, last = (int(moment.timestamp() * 1000) for moment in (begin, end))
    if first >= last:
        raise MillraceError("A replay wants a begin before its end.")
    return first - first % HOUR_MS, -(-last // HOUR_MS) * HOUR_MS


def _compact(time_ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC):%Y%m%dT%HZ}"
