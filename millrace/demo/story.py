"""The story of one order as the bus told it, event by event, in time since the click. Pure."""

from dataclasses import dataclass, field
from typing import Any

from lambdas.contracts.notifications import NotificationSentV1
from lambdas.contracts.orders import OrderCancelledV1, OrderConfirmedV1
from lambdas.contracts.stock import StockReleasedV1, StockReservedV1
from millrace.tail import BusEvent

ENDS = {OrderConfirmedV1.TYPE, OrderCancelledV1.TYPE}


@dataclass(frozen=True)
class Landed:
    """An event of the story.

    `milliseconds` from the click until it landed, `begin` until that which caused it had; `told`
    is the point of its payload, in words.
    """

    id: str
    type: str
    subject: str
    begin: float
    milliseconds: float
    told: str


@dataclass
class Story:
    """What is known so far of the order that one click placed. `clicked` is Unix time."""

    clicked: float
    _heard: dict[str, BusEvent] = field(default_factory=dict)

    def add(self, event: BusEvent) -> None:
        """Take in an event; one that came before is passed over."""
        self._heard.setdefault(str(event.meta.get("id")), event)

    @property
    def events(self) -> list[Landed]:
        """What has landed, the earliest first."""
        found = sorted(self._heard.items(), key=lambda known: known[1].landed)
        return [self._landed(name, event) for name, event in found]

    @property
    def milliseconds(self) -> float | None:
        """From the click to the final state; None before it."""
        return next((e.milliseconds for e in self.events if e.type in ENDS), None)

    @property
    def is_over(self) -> bool:
        """Whether the order has its final state."""
        return bool(ENDS & self._types())

    @property
    def is_told(self) -> bool:
        """Whether all that must follow from the final state has come too."""
        types = self._types()
        expected = {NotificationSentV1.TYPE}
        if {StockReservedV1.TYPE, OrderCancelledV1.TYPE} <= types:
            expected.add(StockReleasedV1.TYPE)
        return self.is_over and expected <= types

    def _types(self) -> set[str]:
        return {event.type for event in self._heard.values()}

    def _landed(self, name: str, event: BusEvent) -> Landed:
        milliseconds = self._since_click(event)
        cause = self._heard.get(str(event.meta.get("causation_id")))
        # What is written in one transaction may land before its cause does.
        begin = min(self._since_click(cause), milliseconds) if cause else 0.0
        subject = str(event.meta.get("subject", ""))
        return Landed(name, event.type, subject, begin, milliseconds, told(event.data))

    def _since_click(self, event: BusEvent) -> float:
        """Clocks differ a little between here and AWS: nothing happens before the click."""
        return max(0.0, (event.landed - self.clicked) * 1000)


def told(data: dict[str, Any]) -> str:
    """What a payload says beyond its type, without names, addresses and tokens."""
    said = []
    if "score" in data:
        said.append(f"score {data['score']}")
    said += [str(hit["why"]) for hit in data.get("hits", ()) if not hit.get("shadow")]
    said += [f"{line['quantity']} missing" for line in data.get("missing", ())]
    said += [str(data[name]) for name in ("reason", "code", "template") if data.get(name)]
    return ", ".join(said)
