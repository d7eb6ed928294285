"""Who asks: what the claims of an access token say, once API Gateway has verified its signature.

API Gateway checks issuer, audience and expiry, which an ID token of the same user passes too. An ID
token says who somebody is to the application that asked; it grants nothing (RFC 9068, 5).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from lambdas.core.mail_address import is_mail_address
from lambdas.core.problems import Problem

_ID_TOKEN_CLAIMS = ("nonce", "at_hash", "c_hash")
"""Claims that OpenID Connect Core defines for ID tokens alone."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as the verified token says: `id` is its subject, `email` proven to be theirs."""

    id: str
    email: str | None = None
    scopes: frozenset[str] = frozenset()

    def require(self, scope: str) -> None:
        """Raises a 403 Problem unless the token grants `scope`."""
        if scope not in self.scopes:
            raise Problem(403, "Forbidden", f"this needs the scope {scope}")


NOBODY = Caller(id="")
"""Who asks without a token, where none is needed."""


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """The caller behind these claims. Raises a 401 Problem unless they are an access token's."""
    if not claims.get("sub"):
        raise Problem(401, "Unauthorized", "a token is required")
    if not _is_access_token(claims):
        raise Problem(401, "Unauthorized", "an access token is required; this is another one")
    return Caller(id=claims["sub"], email=_proven_email(claims), scopes=_scopes(claims))


def _is_access_token(claims: Mapping[str, Any]) -> bool:
    """Cognito says so in `token_use`; of other issuers, only access tokens name scopes."""
    if "token_use" in claims:
        return bool(claims["token_use"] == "access")
    names_scopes = "scope" in claims or "scp" in claims
    return names_scopes and not any(claim in claims for claim in _ID_TOKEN_CLAIMS)


def _proven_email(claims: Mapping[str, Any]) -> str | None:
    """The address, if the issuer says that it is proven and e-mail can be sent to it.

    Cognito puts none into access tokens: one without `email_verified` was put there by
    `grant_scopes`, which adds proven ones only. API Gateway hands every claim on as text.
    """
    email = claims.get("email")
    trusted = claims.get("token_use") == "access"
    proven = str(claims.get("email_verified", trusted)).lower() == "true"
    return email if proven and isinstance(email, str) and is_mail_address(email) else None


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Identity providers write `scope` as words, or `scp`, a list that arrives as "[a b]"."""
    words = claims.get("scope") or claims.get("scp") or ""
    return frozenset(str(words).strip("[]").replace(",", " ").split())
