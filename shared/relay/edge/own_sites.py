"""Sites as a key for some workspaces sees them: their state, and the replays of these workspaces.

Such a key sees nothing else of a site. A site that none of its workspaces is linked to does not
exist for it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from relay.edge.answer import page_of, present
from relay.edge.site_documents import replay_document, site_state, trouble_document
from relay.edge.wiring import TenantParts
from relay.jira.errors import without_details
from relay.tenants.replay import Replay
from relay.tenants.snapshots import SiteSnapshot, SiteSnapshotStore
from relay.tenants.store import unknown_site
from relay.tenants.tenant import Tenant, TenantState
from relay.tenants.troubles import Trouble

if TYPE_CHECKING:
    from relay.edge.shapes import replays, sites
    from relay.record.debts import DebtStore

# More debts than these are not counted.
OWED_MAX = 10_000


class OwnSites:
    """The sites that the key's workspaces, `own`, are linked to."""

    def __init__(self, parts: TenantParts) -> None:
        self._tenants = parts.tenants
        self._links = parts.links
        self._troubles = parts.troubles
        self._replays = parts.replays

    def linked(self, site: str, own: Collection[str]) -> tuple[Tenant, list[str]]:
        """The site, and which of `own` are linked to it, in order. Raises NotFound if none is."""
        tenant = self._tenants.existing(site)
        linked = self._links.among(tenant.id, own)
        if not linked:
            raise unknown_site(site)
        return tenant, linked

    def of(self, site: str, own: Collection[str]) -> "sites.SiteSummary":
        """One site. Raises NotFound."""
        tenant, _ = self.linked(site, own)
        return _summary(tenant, self._troubles.of(tenant.id))

    def page(self, own: Collection[str], after: str, limit: int) -> "sites.SiteSummaryPage":
        """A page of sites, in the order of their ids."""
        ids, following = _cut(self._links.sites_of(own), after, limit)
        documents = (
            (tenant.id, _summary(tenant, self._troubles.of(tenant.id)))
            for tenant in map(self._tenants.get, ids)
            if tenant and tenant.merged_into is None
        )
        page, following = page_of(documents, following)
        document: sites.SiteSummaryPage = {"sites": page, "next": following}
        return present(document)

    def replays(
        self, site: str, own: Collection[str], now: int, after: str, limit: int
    ) -> "replays.ReplayPage":
        """A page of replays, in the order of the workspaces' ids; `now` is in epoch milliseconds.
        Raises NotFound."""
        tenant, linked = self.linked(site, own)
        ids, following = _cut(linked, after, limit)
        documents = (
            (replay.workspace_id, _replay(replay, now))
            for replay in self._replays.of_workspaces(tenant.id, ids)
        )
        page, following = page_of(documents, following)
        document: replays.ReplayPage = {"replays": page, "next": following}
        return present(document)


class WorkspaceSites:
    """The sites that one workspace is linked to, with what each is owed."""

    def __init__(
        self, parts: TenantParts, snapshots: SiteSnapshotStore, debts: "DebtStore"
    ) -> None:
        self._links = parts.links
        self._snapshots = snapshots
        self._debts = debts

    def page(
        self, workspace_id: str, now: int, after: str, limit: int
    ) -> "sites.WorkspaceSitePage":
        """A page of sites, in the order of their ids; `now` is in epoch milliseconds."""
        ids, following = _cut(self._links.sites_of([workspace_id]), after, limit)
        documents = (
            (one.tenant.id, self._site(workspace_id, one, now))
            for one in self._snapshots.of(workspace_id, ids)
            if one.tenant.merged_into is None
        )
        page, following = page_of(documents, following)
        document: sites.WorkspaceSitePage = {"sites": page, "next": following}
        return present(document)

    def _site(self, workspace_id: str, one: SiteSnapshot, now: int) -> "sites.WorkspaceSite":
        document: sites.WorkspaceSite = {
            **_summary(one.tenant, one.trouble),
            "owed": self._debts.count(workspace_id, one.tenant.id, OWED_MAX),
            "replay": _replay(one.replay, now) if one.replay else None,
        }
        return present(document)


def _summary(tenant: Tenant, trouble: Trouble | None) -> "sites.SiteSummary":
    if tenant.state is TenantState.UNINSTALLED:
        trouble = None
    document: sites.SiteSummary = {
        "id": tenant.id,
        "baseUrl": tenant.base_url,
        "state": site_state(tenant, trouble),
        "trouble": _trouble(trouble) if trouble else None,
    }
    return present(document)


def _trouble(trouble: Trouble) -> "sites.SiteTrouble":
    """Without Jira's words: they may be about another workspace."""
    return trouble_document(replace(trouble, message=without_details(trouble.message)))


def _replay(replay: Replay, now: int) -> "replays.Replay":
    """Without Jira's words: they may be about another workspace."""
    reason = replay.reason and without_details(replay.reason)
    return replay_document(replace(replay, reason=reason), now)


def _cut(ids: Iterable[str], after: str, limit: int) -> tuple[list[str], str | None]:
    """A page of ids, and the cursor of the next page."""
    page = [one for one in ids if one > after][:limit]
    return page, page[-1] if len(page) == limit else None
