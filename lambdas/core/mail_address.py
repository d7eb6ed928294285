"""E-mail addresses: the part of RFC 5321 that Amazon SES delivers to.

A local part of dot-separated atoms and a domain name with at least one dot, all ASCII. Left out are
what SES refuses or takes for something else: quoted local parts, address literals, comments,
display names, lists. A domain in other letters is written in its ASCII form (xn--...).
"""

import re

MAX_LENGTH = 254
"""Characters of an address (RFC 5321, 4.5.3.1.3, less the angle brackets)."""
MAX_LOCAL_LENGTH = 64
"""Characters before the @ (RFC 5321, 4.5.3.1.1)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_REST = r"(?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

# `(?!\n)`: Python's `$` would let a line feed follow.
PATTERN = rf"^{_ATOM}(?:\.{_ATOM})*@(?:[A-Za-z0-9]{_REST}\.)+[A-Za-z]{_REST}$(?!\n)"
"""The form of an address, for JSON Schema. The lengths are to be said beside it."""

_ADDRESS = re.compile(PATTERN)


def is_mail_address(text: str) -> bool:
    """Whether this is one address that e-mail can be sent to."""
    local = text.partition("@")[0]
    fits = len(text) <= MAX_LENGTH and len(local) <= MAX_LOCAL_LENGTH
    return fits and _ADDRESS.search(text) is not None
