"""The rules for every token that Jira sends to a Connect app."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
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
# In place of a request's hash: the token is for any call that a page inside Jira makes.
_OF_A_PAGE = "context-qsh"
# An account's id is sent to Jira and never stored, so that it only has to be plainly an id.
_ACCOUNT_ID = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
# PyJWT skips all of these checks by default if it does not verify the signature.
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
# A clientKey becomes part of a DynamoDB key, whose length is limited.
CLIENT_KEY_MAX = 500


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a checked token; `issued_at` is in epoch seconds."""

    issuer: str
    issued_at: int


@dataclass(frozen=True, slots=True)
class ContextClaims(Claims):
    """The claims of a page's token; `account_id` is the user's."""

    account_id: str = field(repr=False)


def token_of(request: Request) -> str:
    """The token of the Authorization header, or else of `?jwt=`. Raises Unauthenticated."""
    return _bounded(_in_header(request) or parse_qs(request.raw_query).get("jwt", [""])[0])


def header_token_of(request: Request) -> str:
    """The token of the Authorization header alone: a URL is kept in more places than a header.
    Raises Unauthenticated."""
    return _bounded(_in_header(request))


def _in_header(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.upper() == "JWT" else ""


def _bounded(token: str) -> str:
    token = token.strip()
    if not token or len(token) > _TOKEN_MAX:
        raise Unauthenticated("no token")
    return token


def digest_of(token: str) -> str:
    """The SHA-256 of the signed part, in hex.

    The signature is left out: it can be written in several ways, such as with `==` appended.
    """
    signed, _, _ = token.rpartition(".")
    return hashlib.sha256(signed.encode()).hexdigest()


def unverified_header(token: str) -> dict[str, Any]:
    """The token's header, not verified. Raises Unauthenticated if the token is malformed."""
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise Unauthenticated(f"malformed token: {error}") from None


def unverified_issuer(token: str) -> str:
    """The issuer that the token claims, not verified: use it only to find the verification key.

    Raises Unauthenticated if the token is malformed or can't name a clientKey.
    """
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
    """Check signature, times, audience and qsh, and return the claims. Raises Unauthenticated.

    The algorithm is never read from the token. If `audience` is None, the token's audience is not
    checked: Jira's callbacks usually have none.
    """
    return _checked(token, key, [algorithm], request, audience, {"verify_signature": True})


def verified_context_claims(token: str, secret: str) -> ContextClaims:
    """Check signature, times and the literal qsh of a token that Jira gives to a page of the app,
    and return the claims. It is bound to no request. Raises Unauthenticated.
    """
    options: Options = {"verify_signature": True, "require": [*_REQUIRED, "sub"]}
    claims = _decoded(token, secret, ["HS256"], None, options)
    _check_equal(claims["qsh"], _OF_A_PAGE)
    if not _ACCOUNT_ID.fullmatch(claims["sub"]):
        raise Unauthenticated("sub is not an account's id")
    return ContextClaims(claims["iss"], int(claims["iat"]), claims["sub"])


def unproven_claims(token: str, request: Request, audience: Sequence[str]) -> Claims:
    """Like `verified_claims`, but without the signature, so it proves nothing.

    It needs no key, so that invalid tokens are refused before a key is fetched.
    """
    return _checked(token, "", [], request, audience, _ALL_BUT_SIGNATURE)


def _checked(
    token: str,
    key: Any,
    algorithms: Sequence[str],
    request: Request,
    audience: Sequence[str] | None,
    options: Options,
) -> Claims:
    claims = _decoded(token, key, algorithms, audience, {**options, "require": _REQUIRED})
    _check_qsh(claims["qsh"], request)
    return Claims(claims["iss"], int(claims["iat"]))


def _decoded(
    token: str,
    key: Any,
    algorithms: Sequence[str],
    audience: Sequence[str] | None,
    options: Options,
) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=audience,
            leeway=LEEWAY_SECONDS,
            options={**options, "verify_aud": audience is not None},
        )
    except jwt.InvalidTokenError as error:
        raise Unauthenticated(f"{type(error).__name__}: {error}") from None
    _check_lifetime(claims)
    return claims


def _check_lifetime(claims: dict[str, Any]) -> None:
    # PyJWT has checked that both are whole numbers.
    if not 0 <= int(claims["exp"]) - int(claims["iat"]) <= LIFETIME_MAX_SECONDS:
        raise Unauthenticated("the token's lifetime is too long")


def _check_qsh(qsh: Any, request: Request) -> None:
    """Compare with the request's hash; `context-qsh`, used by browser pages, never matches."""
    _check_equal(qsh, query_string_hash(request.method, request.raw_path, request.raw_query))


def _check_equal(qsh: Any, expected: str) -> None:
    # Half of a surrogate pair in JSON can't be encoded otherwise.
    is_equal = isinstance(qsh, str) and hmac.compare_digest(
        qsh.encode(errors="replace"), expected.encode()
    )
    if not is_equal:
        raise Unauthenticated("qsh does not match the request")
