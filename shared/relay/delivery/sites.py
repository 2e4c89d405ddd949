"""The sites that a workspace is linked to, their current state, and their Jira clients."""

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

# A day. Then the refused identity is tried again: nothing reports when access is granted.
_CHOICE_VALID_MS = 86_400_000
_NO_SECRET = "The site's secret can't be read."  # noqa: S105
_UNINSTALLED = "The site has uninstalled the app."
_NOT_READABLE = (*AWS_ERRORS, Unavailable)


@dataclass(frozen=True, slots=True)
class LinkedSite:
    """A site that a workspace is linked to, as read at one moment."""

    link: Link
    snapshot: SiteSnapshot

    @property
    def workspace_id(self) -> str:
        """The id of the linked workspace."""
        return self.link.workspace_id

    @property
    def ids(self) -> WorkspaceIds:
        """Translates between the workspace's own ids and those at the site."""
        return self.link.ids

    @property
    def tenant(self) -> Tenant:
        """Relay's record of the site."""
        return self.snapshot.tenant

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the site; None if nothing is."""
        return self.snapshot.trouble

    @property
    def replay(self) -> Replay | None:
        """The link's replay, under way or done; None if there was none."""
        return self.snapshot.replay

    @property
    def generation(self) -> int:
        """How often the site has started over for the workspace (see `relay.tenants.replay`)."""
        return self.snapshot.generation


class Sites:
    """Reads linked sites and opens sessions with them.

    Every method raises Unavailable, or an AWS error, if the tables can't be read.
    """

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
        """Every site that the workspace is linked to, uninstalled ones included."""
        return self._linked(workspace_id, self._links.of_workspace(workspace_id))

    def link(self, tenant_id: str, workspace_id: str) -> LinkedSite | None:
        """One linked site; None if the two are not linked (any more)."""
        link = self._links.get(tenant_id, workspace_id)
        return next(iter(self._linked(workspace_id, [link])), None) if link else None

    def generation(self, tenant_id: str, workspace_id: str) -> int:
        """The link's current generation; 0 if the tenant is unknown."""
        snapshots = self._snapshots.of(workspace_id, [tenant_id])
        return sum(found.generation for found in snapshots)

    def client_for(self, tenant: Tenant) -> JiraClient | None:
        """A client of the site's Jira; None if it has uninstalled the app (see `SiteAccess`)."""
        return self._access.client_for(tenant)

    def jira_for(self, linked: LinkedSite) -> WorkspaceJira | None:
        """The site's Jira as the workspace sees it; None if it has uninstalled the app."""
        site = self.client_for(linked.tenant)
        return WorkspaceJira(site, linked.ids) if site else None

    def without_workspace(self, tenant: Tenant) -> LinkedSite:
        """The site for calls that concern no workspace."""
        trouble = self._troubles.of(tenant.id)
        link = Link(tenant.id, "", WorkspaceIds(""))
        return LinkedSite(link, SiteSnapshot(tenant, trouble, None))

    def session(self, linked: LinkedSite, time_left: TimeLeft) -> SiteSession:
        """A session with the site; `time_left` returns seconds.

        Raises Stopped if the site may not be called now, or if its secret can't be read.
        """
        try:
            jira = self.jira_for(linked)
        except _NOT_READABLE as error:
            # This concerns one site only, and must not delay the others.
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
