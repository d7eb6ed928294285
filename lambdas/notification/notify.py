"""Function: write to customers about their orders."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.core import inbox, observability, settings
from lambdas.core.table_store import Table
from lambdas.notification.domain import MAILS
from lambdas.notification.notification_store import Ledger
from lambdas.notification.notifications import Notifications
from lambdas.notification.ses_gateway import SesGateway


class Settings(msgspec.Struct, frozen=True):
    notifications_table: str
    sender: str
    template_prefix: str
    configuration_set: str | None = None


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    config = settings.load(Settings)
    mailer = SesGateway(config.sender, config.template_prefix, config.configuration_set)
    notifications = Notifications(Ledger(Table(config.notifications_table)), mailer, _now)
    return inbox.consume(event, inbox.typed(dict.fromkeys(MAILS, notifications.notify)))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
