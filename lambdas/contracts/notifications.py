"""Events of notifications."""

from typing import ClassVar

from lambdas.contracts.event import Event


class NotificationSentV1(Event, frozen=True, kw_only=True):
    """A message was handed to its channel. The address is not repeated here."""

    TYPE: ClassVar[str] = "notification.sent.v1"
    SOURCE: ClassVar[str] = "millrace.notification"

    notification_id: str
    template: str
    channel: str
    about: str
