"""The ledger of e-mails: who sends which, and which are sent. It holds no address."""

import datetime as dt
from typing import Literal

import msgspec

from lambdas.contracts.notifications import NotificationSentV1
from lambdas.core.errors import ConditionFailed, NotYet
from lambdas.core.outbox import Cause, event_write, timestamp
from lambdas.core.table_store import Table, Write
from lambdas.notification.domain import LEASE_SECONDS, Mail


class StillSending(NotYet):
    """Somebody is at this e-mail, or died at it a moment ago: come back when the lease is over."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One e-mail in the ledger; `revision` counts its changes from 1.

    - sending: taken up by one sender until `lease_until` (Unix seconds), outcome unknown;
    - refused: SES said that it did not take it;
    - sent: SES took it. Final.
    """

    notification_id: str
    template: str
    about: str
    status: Literal["sending", "refused", "sent"]
    revision: int
    lease_until: int = 0
    repeats: bool = False
    """Whether an earlier sender may have sent it too."""


class Ledger:
    """A table of the outbox kind."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, notification_id: str) -> Notification | None:
        item = self._table.get(_subject(notification_id), "state")
        return msgspec.convert(item, Notification) if item else None

    def take_up(self, notification_id: str, mail: Mail, now: dt.datetime) -> Notification | None:
        """Become this e-mail's one sender; None when it is sent already.

        Raises StillSending while another sender's lease runs.
        """
        while True:
            known = self.find(notification_id)
            if known is not None and known.status == "sent":
                return None
            if known is not None and (left := known.lease_until - now.timestamp()) > 0:
                raise StillSending(notification_id, left)
            taken = Notification(
                notification_id=notification_id,
                template=mail.template,
                about=mail.about,
                status="sending",
                revision=known.revision + 1 if known else 1,
                lease_until=int(now.timestamp()) + LEASE_SECONDS,
                repeats=known is not None and (known.status == "sending" or known.repeats),
            )
            try:
                self._table.transact(_state(taken, now))
            except ConditionFailed:
                continue  # another sender took it up first
            return taken

    def refused(self, taken: Notification, now: dt.datetime) -> None:
        """SES did not take it: the next delivery may try at once."""
        self._settle(_next(taken, "refused"), now)

    def sent(self, taken: Notification, cause: Cause, now: dt.datetime) -> None:
        """SES took it: told once, and never sent again."""
        sent = _next(taken, "sent")
        event = NotificationSentV1(
            notification_id=sent.notification_id,
            template=sent.template,
            channel="email",
            about=sent.about,
        )
        subject = _subject(sent.notification_id)
        told = event_write(
            subject, event, subject=subject, sequence=sent.revision, cause=cause, now=now
        )
        self._settle(sent, now, told)

    def _settle(self, after: Notification, now: dt.datetime, *more: Write) -> None:
        try:
            self._table.transact(_state(after, now), *more)
        except ConditionFailed as conflict:
            # Our lease ran out and another sender has it: what it reports is what counts.
            raise StillSending(after.notification_id, LEASE_SECONDS) from conflict


def _next(taken: Notification, status: Literal["refused", "sent"]) -> Notification:
    return msgspec.structs.replace(taken, status=status, revision=taken.revision + 1, lease_until=0)


def _state(after: Notification, now: dt.datetime) -> Write:
    first = after.revision == 1
    return Write(
        put={
            "pk": _subject(after.notification_id),
            "sk": "state",
            **msgspec.structs.asdict(after),
            "updated_at": timestamp(now),
        },
        condition="attribute_not_exists(pk)" if first else "revision = :before",
        values={} if first else {"before": after.revision - 1},
    )


def _subject(notification_id: str) -> str:
    return f"notification/{notification_id}"
