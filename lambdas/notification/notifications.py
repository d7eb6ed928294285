"""One e-mail for one cause: taken up in the ledger, sent, recorded as sent.

Between SES taking an e-mail and the ledger knowing, a crash leaves the outcome open, and nobody can
be asked. The e-mail is then sent again once the lease is over: a customer may get it twice, but
never not at all. Each such repetition is counted.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Protocol

from lambdas.contracts.codec import Published
from lambdas.core import observability
from lambdas.core.errors import Poison
from lambdas.core.outbox import Cause
from lambdas.notification.domain import MAILS, Mail, masked, notification_id
from lambdas.notification.notification_store import Ledger
from lambdas.notification.ses_gateway import NotSent


class Mailer(Protocol):
    def send(self, mail: Mail, notification_id: str) -> None:
        """Raises NotSent or Poison if it did not; after anything else nobody knows."""
        ...


class Notifications:
    def __init__(self, ledger: Ledger, mailer: Mailer, now: Callable[[], dt.datetime]) -> None:
        self._ledger = ledger
        self._mailer = mailer
        self._now = now

    def notify(self, published: Published[Any]) -> None:
        """Send the e-mail that the event asks for, unless it is sent.

        Raises StillSending, NotSent or the mailer's own trouble to be called again.
        """
        mail = MAILS[type(published.data)](published.data)
        identity = notification_id(published.meta.id, mail.template)
        taken = self._ledger.take_up(identity, mail, self._now())
        if taken is None:
            observability.count("NotificationsAlreadySent")
            return
        if taken.repeats:
            observability.count("NotificationsRepeated")
        try:
            with observability.step("send mail"):
                self._mailer.send(mail, identity)
        except (NotSent, Poison):
            self._ledger.refused(taken, self._now())
            raise
        self._ledger.sent(taken, Cause.of(published), self._now())
        observability.count("NotificationsSent")
        observability.logger().info(
            "notification sent",
            extra={"notification_id": identity, "template": mail.template, "to": masked(mail.to)},
        )
