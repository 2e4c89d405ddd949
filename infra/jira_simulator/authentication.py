"""Authenticates calls of the REST API: the site's installed app, by a token for this one call.

The rules are those of Atlassian Connect for calls from an app: HS256 with the shared secret, a
lifetime of at most 180 seconds, and a qsh of the request itself. Unlike Jira's, a refusal contains
its reason: this is a developer's tool.
"""

import hmac
from typing import Any

from .canonical_request import query_string_hash
from .descriptor import App
from .refusal import Refusal
from .sites import Site, State
from .tokens import InvalidToken, verified_claims
from .wire import WireCall

_LIFETIME_SECONDS_MAX = 180


def authenticate(site: Site, call: WireCall) -> None:
    """Raise a Refusal (401) unless the call carries a token of the site's app for this call."""
    app = site.app
    if site.state is not State.INSTALLED or app is None:
        raise Refusal(401, f"No app is installed in the site {site.name}.")
    try:
        claims = verified_claims(_token(call), site.shared_secret)
    except InvalidToken as error:
        raise Refusal(401, f"The token is invalid: {error}.") from error
    if claims["iss"] != app.key:
        raise Refusal(401, f"iss is {claims['iss']!r}; the installed app is {app.key!r}.")
    _check_audience(claims, site.client_key)
    _check_lifetime(claims)
    _check_qsh(claims, call, site.base_path)


def authorize(site: Site, module: str | None, scope: str | None) -> None:
    """Raise a Refusal (403) unless the app's descriptor has the module and the scope, if any."""
    app = site.installed_app()
    check_module(app, module)
    if scope is not None and scope not in app.scopes:
        raise Refusal(403, f"The app's descriptor has no scope {scope}.")


def check_module(app: App, module: str | None) -> None:
    """Raises a Refusal (403) unless the app's descriptor has the module; None requires none."""
    if module is not None and module not in app.modules:
        raise Refusal(403, f"The app's descriptor has no module {module}.")


def _token(call: WireCall) -> str:
    if any(name == "jwt" for name, _ in call.parameters):
        raise Refusal(401, "A token in the query is not accepted: send it as Authorization: JWT.")
    scheme, _, token = (call.authorization or "").partition(" ")
    if scheme != "JWT" or not token:
        raise Refusal(401, "The header Authorization: JWT <token> is missing.")
    return token


def _check_audience(claims: dict[str, Any], client_key: str) -> None:
    audience = claims.get("aud", client_key)
    if client_key not in (audience if isinstance(audience, list) else [audience]):
        raise Refusal(401, "aud does not name the site's clientKey.")


def _check_lifetime(claims: dict[str, Any]) -> None:
    if not all(isinstance(claims[name], int | float) for name in ("iat", "exp")):
        raise Refusal(401, "iat and exp must be numbers.")
    lifetime = claims["exp"] - claims["iat"]
    if lifetime > _LIFETIME_SECONDS_MAX:
        raise Refusal(
            401, f"exp is {lifetime} s after iat; the maximum is {_LIFETIME_SECONDS_MAX} s."
        )


def _check_qsh(claims: dict[str, Any], call: WireCall, base_path: str) -> None:
    path = call.path.removeprefix(base_path)
    expected = query_string_hash(call.method, path, call.query)
    given = str(claims["qsh"]).encode(errors="replace")
    if not hmac.compare_digest(given, expected.encode()):
        raise Refusal(401, f"qsh does not match {call.method} {path}?{call.query}.")
