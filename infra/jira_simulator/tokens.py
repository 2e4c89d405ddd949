"""JSON Web Tokens: signs Jira's, verifies the app's.

Jira signs `installed` and `uninstalled` with RS256 and the install key, because no secret is shared
before and after. All other tokens, Jira's and the app's, use HS256 and the shared secret.

PyJWT is imported for the first token only, because its import would slow down the start.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from .install_keys import InstallKey

_LIFETIME_SECONDS = 180
_LEEWAY_SECONDS = 5
_REQUIRED_CLAIMS = ["iss", "iat", "exp", "qsh"]

# Returns the token of a request, given the request's qsh.
Signer = Callable[[str], str]


class InvalidToken(Exception):
    """The token is malformed, expired, badly signed, or lacks a required claim."""


def install_signer(key: InstallKey, client_key: str, audience: str) -> Signer:
    """Signs with the install key; `audience` is the app's base URL."""

    def sign(qsh: str) -> str:
        import jwt

        # Unlike admins, tests reinstall within a second: `jti` makes their tokens differ.
        claims = {**_claims(client_key, qsh), "aud": [audience], "jti": uuid4().hex}
        return jwt.encode(claims, key.private_key, algorithm="RS256", headers={"kid": key.kid})

    return sign


def secret_signer(shared_secret: str, client_key: str) -> Signer:
    """Signs with the site's shared secret."""

    def sign(qsh: str) -> str:
        import jwt

        return jwt.encode(_claims(client_key, qsh), shared_secret, algorithm="HS256")

    return sign


def user_token(
    shared_secret: str, client_key: str, account_id: str, qsh: str, age_seconds: int = 0
) -> str:
    """A token that a user's browser passes to the app, issued `age_seconds` ago."""
    import jwt

    claims = _claims(client_key, qsh)
    claims |= {name: claims[name] - age_seconds for name in ("iat", "exp")}
    return jwt.encode(claims | {"sub": account_id}, shared_secret, algorithm="HS256")


def verified_claims(token: str, shared_secret: str) -> dict[str, Any]:
    """Returns the claims of an app's token, all required ones included; raises InvalidToken.

    The algorithm is fixed. The caller checks the audience, which is optional.
    """
    import jwt

    try:
        return jwt.decode(
            token,
            shared_secret,
            algorithms=["HS256"],
            leeway=_LEEWAY_SECONDS,
            options={"require": _REQUIRED_CLAIMS, "verify_aud": False},
        )
    except (jwt.InvalidTokenError, TypeError, OverflowError) as error:
        raise InvalidToken(str(error)) from error


def _claims(client_key: str, qsh: str) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": client_key, "iat": now, "exp": now + _LIFETIME_SECONDS, "qsh": qsh}
