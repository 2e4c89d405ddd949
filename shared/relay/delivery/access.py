"""How a site is called: as the identity that it has, or prefers, of Connect's and Forge's."""

import time
from functools import partial

import httpx

from relay.jira.client import JiraClient, Otherwise
from relay.jira.credentials import BearerCredential, ConnectCredential
from relay.jira.errors import JiraAnswered
from relay.outbound import OutboundClient
from relay.telemetry import logger
from relay.tenants import Choice, ChoiceStore, Identity, Tenant, TenantState, TenantStore

# A day. What Jira refused once is then asked for again, as nobody tells when it is granted.
_REMEMBERED_MS = 86_400_000


class SiteAccess:
    """`preferred` is the identity that is tried first where a site has both."""

    def __init__(
        self,
        tenants: TenantStore,
        choices: ChoiceStore,
        http: OutboundClient,
        app_key: str,
        preferred: str,
    ) -> None:
        self.tenants = tenants
        self._choices = choices
        self._http = http
        self._app_key = app_key
        self._preferred = Identity(preferred)

    def to(self, tenant: Tenant) -> JiraClient | None:
        """A client of the site's Jira; None where the site has uninstalled the app.

        Raises Unavailable, or an AWS error, where its secrets can't be read.
        """
        ways = self._ways(tenant)
        if tenant.state is not TenantState.ACTIVE or not ways:
            return None
        if len(ways) == 1:
            [(base_url, credential)] = ways.values()
            return JiraClient(self._http, base_url, credential)
        first, second = self._order(tenant)
        other = JiraClient(self._http, *ways[second])
        turned = partial(self._turned, tenant, second)
        return JiraClient(self._http, *ways[first], Otherwise(other, turned))

    def in_use(self, tenant: Tenant) -> tuple[Identity, Choice | None] | None:
        """The identity that the site is called as, with the refusal that led to it; None where it
        is not called at all. No secret is read."""
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

    def _ways(self, tenant: Tenant) -> dict[Identity, tuple[str, httpx.Auth]]:
        ways: dict[Identity, tuple[str, httpx.Auth]] = {}
        secret = self.tenants.secret_of(tenant)
        if secret and tenant.client_key:
            credential = ConnectCredential(
                self._app_key, tenant.client_key, tenant.base_url, secret
            )
            ways[Identity.CONNECT] = (tenant.base_url, credential)
        system_token = self.tenants.system_token_of(tenant)
        if system_token and tenant.forge and tenant.forge.api_base_url:
            ways[Identity.FORGE] = (tenant.forge.api_base_url, BearerCredential(system_token))
        return ways

    def _order(self, tenant: Tenant) -> tuple[Identity, Identity]:
        choice = self._choice(tenant)
        first = choice.identity if choice else self._preferred
        return first, _OTHER[first]

    def _choice(self, tenant: Tenant) -> Choice | None:
        choice = self._choices.of(tenant.id)
        return choice if choice and choice.at > _now() - _REMEMBERED_MS else None

    def _turned(self, tenant: Tenant, identity: Identity, refused: JiraAnswered) -> None:
        logger.warning(
            "A site takes the other identity",
            tenant_id=tenant.id,
            identity=identity.value,
            reason=refused.reason,
        )
        self._choices.keep(tenant.id, Choice(identity, refused.message, _now()))


_OTHER = {Identity.CONNECT: Identity.FORGE, Identity.FORGE: Identity.CONNECT}


def _now() -> int:
    return int(time.time() * 1000)
