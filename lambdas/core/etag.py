"""Entity tags: what a thing's answers are marked with, and `If-Match` in requests (RFC 9110, 13.1).

Usually the tag is the thing's revision; where an answer also shows what others decide, such as a
price, the tag covers that too.
"""

import re

import msgspec

from lambdas.core.http import Problem, Request

_TAG = re.compile(r'(?:^|[,\s])(W/)?"([!#-~]{1,64})"')


def headers(tag: int | str) -> dict[str, str]:
    """The header that names this revision, or this tag."""
    return {"etag": f'"{tag}"'}


class Precondition(msgspec.Struct, frozen=True):
    """The tags the caller is content to change; None: any, even nothing at all."""

    tags: frozenset[str] | None = None
    existing: bool = False
    """`If-Match: *`: whatever revision, so long as there is one."""

    def allows(self, revision: int, tag: str | None = None) -> bool:
        """Whether a thing of this revision may be changed; 0 stands for one that is not there.

        `tag` is the thing's tag where that is not the revision.
        """
        if self.existing:
            return revision > 0
        return self.tags is None or (tag or str(revision)) in self.tags

    def require(self, revision: int, tag: str | None = None) -> None:
        """Raises a 412 Problem unless it allows this revision, under this tag."""
        if not self.allows(revision, tag):
            now = tag or revision
            raise Problem(
                412, "Precondition failed", f'its ETag is "{now}" by now', headers=headers(now)
            )


def if_match(request: Request) -> Precondition:
    """What the request asks of the thing it changes. Weak or foreign tags match nothing."""
    text = request.headers.get("if-match", "").strip()
    if not text:
        return Precondition()
    if text == "*":
        return Precondition(existing=True)
    return Precondition(frozenset(tag for weak, tag in _TAG.findall(text) if not weak))
