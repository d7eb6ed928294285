"""Moments as an operator types them: "2h" for two hours ago, "now", or ISO 8601."""

import datetime as dt
import re

from millrace.errors import MillraceError

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: dt.datetime) -> dt.datetime:
    """The moment in UTC; a time without a zone is taken as UTC. Raises MillraceError."""
    if text == "now":
        return now
    if ago := _AGO.fullmatch(text):
        return now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError:
        raise MillraceError(
            f"{text!r} is no time: say 2026-11-21T09:30Z, 30m, 2h, 7d (ago), or now."
        ) from None
    return parsed.replace(tzinfo=parsed.tzinfo or dt.UTC).astimezone(dt.UTC)


def between(begin: str, end: str, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Both ends of a span. Raises MillraceError when it does not go forward."""
    first, last = moment(begin, now), moment(end, now)
    if first >= last:
        raise MillraceError(f"--from {begin} is not before --to {end}.")
    return first, last
