"""JSON Web Tokens, both ways.

Jira signs `installed` and `uninstalled` with RS256 by the install key, since no secret is shared
before and after; everything else, from Jira and from the app, is HS256 by the shared secret.

PyJWT is loaded by the first token: with what it loads it takes a good part of the time to start.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from .install_keys import InstallKey

_LIFE_SECONDS = 180
_LEEWAY_SECONDS = 5
_REQUIRED_CLAIMS = ["iss", "iat", "exp", "qsh"]

# Makes the token of one request out of that request's qsh.
Signer = Callable[[str], str]


class InvalidToken(Exception):
    """The token is malformed, expired, badly signed, or lacks a claim."""


def install_signer(key: InstallKey, client_key: str, audience: str) -> Signer:
    def sign(qsh: str) -> str:
        import jwt

        # Tests reinstall within a second, as no admin does: `jti` keeps their tokens apart.
        claims = {**_claims(client_key, qsh), "aud": [audience], "jti": uuid4().hex}
        return jwt.encode(claims, key.private_key, algorithm="RS256", headers={"kid": key.kid})

    return sign


def secret_signer(shared_secret: str, client_key: str) -> Signer:
    def sign(qsh: str) -> str:
        import jwt

        return jwt.encode(_claims(client_key, qsh), shared_secret, algorithm="HS256")

    return sign


def verified_claims(token: str, shared_secret: str) -> dict[str, Any]:
    """The claims of an app's token, all required ones among them; raises InvalidToken.

    The algorithm is pinned; the audience, which is optional here, is left to the caller.
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
    return {"iss": client_key, "iat": now, "exp": now + _LIFE_SECONDS, "qsh": qsh}
