"""The identity that a site is called as, and the client of its Jira.

Loading this module loads the HTTP client. `relay.delivery.sites` asks for it when a site is called,
because many calls of Relay's functions call no site.
"""

import time
from functools import partial

import httpx

from relay.jira.client import FallbackIdentity, JiraClient
from relay.jira.credentials import BearerCredential, ConnectCredential
from relay.jira.errors import JiraAnswered
from relay.outbound.client import OutboundClient
from relay.telemetry import logger
from relay.tenants.identity_choice import Identity, IdentityChoice, IdentityChoiceStore
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant, TenantState

# A day. Then the refused identity is tried again: nothing reports when access is granted.
_CHOICE_VALID_MS = 86_400_000


class SiteAccess:
    """Chooses the identity that a site is called as; `preferred` is first if the site has both."""

    def __init__(
        self,
        tenants: TenantStore,
        choices: IdentityChoiceStore,
        http: OutboundClient,
        app_key: str,
        preferred: str,
    ) -> None:
        self.tenants = tenants
        self._choices = choices
        self._http = http
        self._app_key = app_key
        self._preferred = Identity(preferred)

    def client_for(self, tenant: Tenant) -> JiraClient | None:
        """A client of the site's Jira; None if the site has uninstalled the app.

        Raises Unavailable, or an AWS error, if its secrets can't be read.
        """
        logins = self._logins(tenant)
        if tenant.state is not TenantState.ACTIVE or not logins:
            return None
        if len(logins) == 1:
            [(base_url, credential)] = logins.values()
            return JiraClient(self._http, base_url, credential)
        first, second = self._order(tenant)
        fallback = JiraClient(self._http, *logins[second])
        switched = partial(self._switched, tenant, second)
        return JiraClient(self._http, *logins[first], FallbackIdentity(fallback, switched))

    def in_use(self, tenant: Tenant) -> tuple[Identity, IdentityChoice | None] | None:
        """The identity that the site is called as, and the choice behind it if one was made after
        a refusal. None if the site is not called at all. Reads no secrets."""
        has = {
            Identity.CONNECT: tenant.secret is not None,
            Identity.FORGE: bool(tenant.forge and tenant.forge.system_token),
        }
        if tenant.state is not TenantState.ACTIVE or not any(has.values()):
            return None
        if not all(has.values()):
            return next(identity for identity in Identity if has[identity]), None
        choice = self._choice(tenant)
        return (choice.identity if choice else self._preferred), choice

    def _logins(self, tenant: Tenant) -> dict[Identity, tuple[str, httpx.Auth]]:
        """The base URL and credential of each identity that the site has."""
        logins: dict[Identity, tuple[str, httpx.Auth]] = {}
        secret = self.tenants.secret_of(tenant)
        if secret and tenant.client_key:
            credential = ConnectCredential(
                self._app_key, tenant.client_key, tenant.base_url, secret
            )
            logins[Identity.CONNECT] = (tenant.base_url, credential)
        system_token = self.tenants.system_token_of(tenant)
        if system_token and tenant.forge and tenant.forge.api_base_url:
            logins[Identity.FORGE] = (tenant.forge.api_base_url, BearerCredential(system_token))
        return logins

    def _order(self, tenant: Tenant) -> tuple[Identity, Identity]:
        choice = self._choice(tenant)
        first = choice.identity if choice else self._preferred
        return first, _OTHER[first]

    def _choice(self, tenant: Tenant) -> IdentityChoice | None:
        choice = self._choices.of(tenant.id)
        return choice if choice and choice.at > _now() - _CHOICE_VALID_MS else None

    def _switched(self, tenant: Tenant, identity: Identity, refused: JiraAnswered) -> None:
        logger.warning(
            "A site accepts the other identity",
            tenant_id=tenant.id,
            identity=identity.value,
            reason=refused.reason,
        )
        self._choices.save(tenant.id, IdentityChoice(identity, refused.message, _now()))


_OTHER = {Identity.CONNECT: Identity.FORGE, Identity.FORGE: Identity.CONNECT}


def _now() -> int:
    return int(time.time() * 1000)
