"""Refusals of a request as problem details (RFC 9457): what was wrong, and with which field."""

from collections.abc import Mapping, Sequence

import msgspec


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field; `pointer` is a JSON pointer, or the parameter's name."""

    pointer: str
    detail: str


class ProblemDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every refusal (RFC 9457); `errors` names the fields at fault."""

    type: str
    title: str
    status: int
    correlation_id: str
    detail: str = ""
    errors: tuple[FieldError, ...] = ()


class Problem(Exception):
    """A refusal of a request, answered as a problem detail."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def not_found(what: str) -> Problem:
    """404. Also the answer for what belongs to somebody else, so that nothing is given away."""
    return Problem(404, "Not found", f"there is no such {what}")


def invalid(pointer: str, detail: str) -> Problem:
    """422: the request is well-formed, and one field of it cannot be. "" points at the body."""
    errors = [FieldError(pointer=pointer, detail=detail)]
    return Problem(422, "Invalid request", f"{pointer or 'body'}: {detail}", errors=errors)
