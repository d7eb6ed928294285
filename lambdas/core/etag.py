"""Entity tags: a thing's revision in its answers, and `If-Match` in requests (RFC 9110, 13.1.1)."""

import re

import msgspec

from lambdas.core.http import Problem, Request

_STRONG_TAG = re.compile(r'(?<![/\w])"([0-9]{1,15})"')


def headers(revision: int) -> dict[str, str]:
    """The header that names this revision."""
    return {"etag": f'"{revision}"'}


class Precondition(msgspec.Struct, frozen=True):
    """The revisions the caller is content to change; None: any, even none at all."""

    revisions: frozenset[int] | None = None
    existing: bool = False
    """`If-Match: *`: whatever revision, so long as there is one."""

    def allows(self, revision: int) -> bool:
        """Whether a thing of this revision may be changed; 0 stands for one that is not there."""
        if self.existing:
            return revision > 0
        return self.revisions is None or revision in self.revisions

    def require(self, revision: int) -> None:
        """Raises a 412 Problem unless it allows this revision."""
        if not self.allows(revision):
            raise Problem(
                412,
                "Precondition failed",
                f'it is at revision "{revision}" by now',
                headers=headers(revision),
            )


def if_match(request: Request) -> Precondition:
    """What the request asks of the revision it changes. Weak or foreign tags match nothing."""
    text = request.headers.get("if-match", "").strip()
    if not text:
        return Precondition()
    if text == "*":
        return Precondition(existing=True)
    return Precondition(frozenset(int(tag) for tag in _STRONG_TAG.findall(text)))
