"""Which sites a workspace's entities go to, how each of them stands, and how it is called."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from relay.aws import AWS_ERRORS
from relay.delivery.session import Clock, SiteSession, SiteTrouble, Stopped, TimeLeft
from relay.entities.workspace_ids import WorkspaceIds
from relay.errors import Unavailable
from relay.jira.client import FallbackIdentity, JiraClient
from relay.jira.credentials import BearerCredential, ConnectCredential
from relay.jira.errors import JiraAnswered
from relay.jira.workspace_jira import WorkspaceJira
from relay.outbound.client import OutboundClient
from relay.telemetry import logger
from relay.tenants.identity_choice import Identity, IdentityChoice, IdentityChoiceStore
from relay.tenants.links import Link, LinkStore
from relay.tenants.replay import Replay
from relay.tenants.snapshots import SiteSnapshot, SiteSnapshotStore
from relay.tenants.store import TenantStore
from relay.tenants.tenant import Tenant, TenantState
from relay.tenants.troubles import Trouble, TroubleStore

# A day. What Jira refused is then tried again, as nobody tells when access is granted.
_REMEMBERED_MS = 86_400_000
_NO_SECRET = "The site's secret can't be read now."  # noqa: S105
_UNINSTALLED = "The site has uninstalled the app."
_NOT_READABLE = (*AWS_ERRORS, Unavailable)


@dataclass(frozen=True, slots=True)
class LinkedSite:
    """A site that a workspace is linked to, as it stood when it was read."""

    link: Link
    snapshot: SiteSnapshot

    @property
    def workspace_id(self) -> str:
        return self.link.workspace_id

    @property
    def ids(self) -> WorkspaceIds:
        return self.link.ids

    @property
    def tenant(self) -> Tenant:
        return self.snapshot.tenant

    @property
    def trouble(self) -> Trouble | None:
        return self.snapshot.trouble

    @property
    def replay(self) -> Replay | None:
        return self.snapshot.replay

    @property
    def generation(self) -> int:
        """See `relay.tenants.replay`."""
        return self.snapshot.generation


class Sites:
    """Every method raises Unavailable, or an AWS error, where the tables can't be read."""

    def __init__(
        self,
        links: LinkStore,
        snapshots: SiteSnapshotStore,
        troubles: TroubleStore,
        access: "SiteAccess",
        clock: Clock = time.time,
    ) -> None:
        self._links = links
        self._snapshots = snapshots
        self._troubles = troubles
        self._access = access
        self._clock = clock

    def linked_to(self, workspace_id: str) -> list[LinkedSite]:
        return self._linked(workspace_id, self._links.of_workspace(workspace_id))

    def link(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        """None where the two are not linked (any more)."""
        link = self._links.get(tenant_id, workspace_id)
        return next(iter(self._linked(workspace_id, [link])), None) if link else None

    def generation(self, tenant_id: str, workspace_id: str) -> int:
        snapshots = self._snapshots.of(workspace_id, [tenant_id])
        return sum(found.generation for found in snapshots)

    def client_for(self, tenant: Tenant) -> JiraClient | None:
        """None where the site has uninstalled the app (see `SiteAccess`)."""
        return self._access.client_for(tenant)

    def jira_for(self, linked: LinkedSite) -> WorkspaceJira | None:
        """The site's Jira as the workspace sees it; None where it has uninstalled the app."""
        site = self.client_for(linked.tenant)
        return WorkspaceJira(site, linked.ids) if site else None

    def session(self, linked: LinkedSite, time_left: TimeLeft) -> SiteSession:
        """Raises Stopped where the site may not be called now."""
        try:
            jira = self.jira_for(linked)
        except _NOT_READABLE as error:
            # This site's own trouble, which must not hold up the others.
            logger.exception("A site can't be called", tenant_id=linked.tenant.id)
            raise Stopped(_NO_SECRET) from error
        if jira is None:
            raise Stopped(_UNINSTALLED)
        trouble = SiteTrouble(self._troubles, linked.tenant.id, linked.trouble, self._clock)
        trouble.check_may_call()
        return SiteSession(jira, trouble, time_left, linked.workspace_id)

    def _linked(self, workspace_id: str, links: Sequence[Link]) -> list[LinkedSite]:
        by_tenant = {link.tenant_id: link for link in links}
        return [
            LinkedSite(by_tenant[snapshot.tenant.id], snapshot)
            for snapshot in self._snapshots.of(workspace_id, by_tenant)
        ]


class SiteAccess:
    """`preferred` is the identity that is tried first where a site has both."""

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
        return JiraClient(self._http, *ways[first], FallbackIdentity(other, turned))

    def in_use(self, tenant: Tenant) -> tuple[Identity, IdentityChoice | None] | None:
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

    def _choice(self, tenant: Tenant) -> IdentityChoice | None:
        choice = self._choices.of(tenant.id)
        return choice if choice and choice.at > _now() - _REMEMBERED_MS else None

    def _turned(self, tenant: Tenant, identity: Identity, refused: JiraAnswered) -> None:
        logger.warning(
            "A site takes the other identity",
            tenant_id=tenant.id,
            identity=identity.value,
            reason=refused.reason,
        )
        self._choices.keep(tenant.id, IdentityChoice(identity, refused.message, _now()))


_OTHER = {Identity.CONNECT: Identity.FORGE, Identity.FORGE: Identity.CONNECT}


def _now() -> int:
    return int(time.time() * 1000)
