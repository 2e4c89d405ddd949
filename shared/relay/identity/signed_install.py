"""Jira's signed `installed` and `uninstalled`: RS256 by one of Atlassian's own keys."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from relay.entities.document import parse_document
from relay.entities.fields import URL_MAX
from relay.errors import Unauthenticated
from relay.identity.caller import LifecycleCaller, Request
from relay.identity.connect_token import (
    CLIENT_KEY_MAX,
    digest_of,
    token_of,
    unproven_claims,
    unverified_header,
    verified_claims,
)
from relay.identity.install_keys import InstallKeys
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.site_url import checked_site_url
from relay.tenants.tenant import Installation

_ALGORITHM = "RS256"
# It comes from whoever calls and becomes part of a URL, so it has to be plainly a name.
_KID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
# It becomes part of a key.
_INSTALLATION_ID_MAX = 255
_OF_AN_INSTALL = ("sharedSecret", "baseUrl")


class LifecycleBody(BaseModel):
    """The fields that Relay uses. Jira sends more, and may add others."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)

    key: str
    """The app's key, as the descriptor has it."""
    clientKey: str = Field(min_length=1, max_length=CLIENT_KEY_MAX)
    """The site's Connect client key; it stays the same when the app is reinstalled."""
    baseUrl: str | None = Field(default=None, max_length=500)
    """The site's base URL. An install needs it."""
    sharedSecret: str | None = Field(default=None, min_length=1, max_length=4000, repr=False)
    """The secret with which site and app sign their calls. An install needs it."""
    displayUrl: str | None = Field(default=None, max_length=URL_MAX)
    """The URL that people see, where the site has a domain of its own."""
    installationId: str | None = Field(default=None, min_length=1, max_length=_INSTALLATION_ID_MAX)
    """Forge's id of the installation, where the app is installed by Forge, too."""


class SignedInstallVerifier:
    """Of `installed` and `uninstalled`. All that needs no key is checked before one is fetched, so
    that noise makes no calls to Atlassian's key server.
    """

    def __init__(
        self, keys: InstallKeys, app_key: str, test_site_origins: Iterable[str] = ()
    ) -> None:
        self._keys = keys
        self._app_key = app_key
        self._test_site_origins = tuple(test_site_origins)

    def verify(self, request: Request) -> LifecycleCaller:
        """Raises BadRequest, too: qsh leaves the body out, so a good token may bring a bad one."""
        token = token_of(request)
        kid = _kid_of(unverified_header(token))
        # Atlassian's own apps meet both forms of the base URL.
        audience = [request.base_url, request.base_url + "/"]
        issuer = unproven_claims(token, request, audience).issuer
        body = parse_document(LifecycleBody, request.body, "a lifecycle call")
        if body.clientKey != issuer:
            raise Unauthenticated("the token is another site's")
        if body.key != self._app_key:
            raise Unauthenticated("the call is for another app")
        claims = verified_claims(token, self._keys.get(kid), _ALGORITHM, request, audience)
        return LifecycleCaller(
            client_key=body.clientKey,
            token=LifecycleToken(claims.issued_at, digest_of(token)),
            installation=self._installation(body),
            missing=tuple(name for name in _OF_AN_INSTALL if getattr(body, name) is None),
        )

    def _installation(self, body: LifecycleBody) -> Installation | None:
        if body.sharedSecret is None or body.baseUrl is None:
            return None
        return Installation(
            client_key=body.clientKey,
            base_url=checked_site_url(body.baseUrl, self._test_site_origins),
            shared_secret=body.sharedSecret,
            display_url=body.displayUrl,
            installation_id=body.installationId,
        )


def _kid_of(header: Mapping[str, Any]) -> str:
    """The name of the key; raises Unauthenticated unless it is plainly one, for RS256."""
    if header.get("alg") != _ALGORITHM:
        raise Unauthenticated("a lifecycle call must be signed with RS256")
    kid = header.get("kid")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise Unauthenticated("the kid is not a name")
    return kid
