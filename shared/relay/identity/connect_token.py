"""The rules that every token from Jira to a Connect app must keep."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import jwt
from jwt.types import Options

from relay.errors import Unauthenticated
from relay.identity.caller import Request
from relay.jira.canonical_request import query_string_hash

LEEWAY_SECONDS = 30
LIFETIME_MAX_SECONDS = 20 * 60
_REQUIRED = ["iss", "iat", "exp", "qsh"]
# PyJWT leaves these out, too, where it is not to verify the signature.
_ALL_BUT_SIGNATURE: Options = {
    "verify_signature": False,
    "verify_iss": True,
    "verify_iat": True,
    "verify_nbf": True,
    "verify_exp": True,
    "verify_sub": True,
    "verify_jti": True,
}
_TOKEN_MAX = 8192
# It becomes part of a DynamoDB key, which has its own limit.
CLIENT_KEY_MAX = 500


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token that passed: `issued_at` in epoch seconds."""

    issuer: str
    issued_at: int


def token_of(request: Request) -> str:
    """The token from the Authorization header first, from `?jwt=` second."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.upper() != "JWT" or not token.strip():
        token = parse_qs(request.raw_query).get("jwt", [""])[0]
    token = token.strip()
    if not token or len(token) > _TOKEN_MAX:
        raise Unauthenticated("no token")
    return token


def digest_of(token: str) -> str:
    """Of the signed part alone: one signature can be written in several ways, `==` behind it."""
    signed, _, _ = token.rpartition(".")
    return hashlib.sha256(signed.encode()).hexdigest()


def unverified_header(token: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise Unauthenticated(f"malformed token: {error}") from None


def unverified_issuer(token: str) -> str:
    """Whose token this claims to be: only good for finding the secret that must prove it."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError as error:
        raise Unauthenticated(f"malformed token: {error}") from None
    if not isinstance(issuer, str) or not _may_be_client_key(issuer):
        raise Unauthenticated("no issuer")
    return issuer


def _may_be_client_key(issuer: str) -> bool:
    return 0 < len(issuer) <= CLIENT_KEY_MAX and issuer.isprintable()


def verified_claims(
    token: str,
    key: Any,
    algorithm: str,
    request: Request,
    audience: Sequence[str] | None = None,
) -> Claims:
    """Check signature, times, audience and qsh. The algorithm is the caller's, not the token's.

    Without an `audience` the token's own is not looked at: Jira's callbacks usually have none.
    """
    return _checked(token, key, [algorithm], request, audience, {"verify_signature": True})


def unproven_claims(token: str, request: Request, audience: Sequence[str]) -> Claims:
    """Check all that `verified_claims` does but the signature: it needs no key, and proves
    nothing. With it, noise is refused before a key is fetched."""
    return _checked(token, "", [], request, audience, _ALL_BUT_SIGNATURE)


def _checked(
    token: str,
    key: Any,
    algorithms: Sequence[str],
    request: Request,
    audience: Sequence[str] | None,
    options: Options,
) -> Claims:
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=audience,
            leeway=LEEWAY_SECONDS,
            options={**options, "require": _REQUIRED, "verify_aud": audience is not None},
        )
    except jwt.InvalidTokenError as error:
        raise Unauthenticated(f"{type(error).__name__}: {error}") from None
    _check_lifetime(claims)
    _check_qsh(claims["qsh"], request)
    return Claims(claims["iss"], int(claims["iat"]))


def _check_lifetime(claims: dict[str, Any]) -> None:
    # PyJWT has made sure that both read as whole numbers.
    if not 0 <= int(claims["exp"]) - int(claims["iat"]) <= LIFETIME_MAX_SECONDS:
        raise Unauthenticated("the token lives too long")


def _check_qsh(qsh: Any, request: Request) -> None:
    """`context-qsh`, which pages in a browser may use, is no hash and so never passes here."""
    expected = query_string_hash(request.method, request.raw_path, request.raw_query)
    if not isinstance(qsh, str) or not hmac.compare_digest(qsh.encode(), expected.encode()):
        raise Unauthenticated("qsh does not match the request")
