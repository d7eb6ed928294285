"""The caller's name for a request, so that sending it again does not do it again."""

import hashlib

from lambdas.core.http import Request, invalid

HEADER = "Idempotency-Key"

MAX_LENGTH = 255


def digest_of(request: Request) -> str:
    """The request's Idempotency-Key as 64 hex digits that no other caller's key shares.

    Only the digest is ever stored or logged. Raises a 400 Problem without the header, a 422
    Problem for one that is too long.
    """
    key = request.header(HEADER)
    if len(key) > MAX_LENGTH:
        raise invalid(HEADER, f"at most {MAX_LENGTH} characters")
    return hashlib.sha256(f"{request.caller.id}\n{key}".encode()).hexdigest()
