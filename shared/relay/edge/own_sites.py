"""Sites as a workspace sees them: whether they take what is its own, and nothing of others there.

A key for some workspaces is shown no more of a site than this, and a site that none of them is
linked to is, for it, one that is not there.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relay.edge.paging import page_document
from relay.edge.site_documents import replay_document, state_of, trouble_document
from relay.edge.wiring import TenantParts
from relay.jira.errors import without_words
from relay.tenants.replay import Replay
from relay.tenants.snapshots import SiteSnapshotStore
from relay.tenants.store import unknown_site
from relay.tenants.tenant import Tenant, TenantState
from relay.tenants.troubles import Trouble

if TYPE_CHECKING:
    from relay.record.debts import DebtStore

# More debts than these are not counted.
OWED_MAX = 10_000


class OwnSites:
    def __init__(self, parts: TenantParts) -> None:
        self._tenants = parts.tenants
        self._links = parts.links
        self._troubles = parts.troubles
        self._replays = parts.replays

    def linked(self, site: str, own: Collection[str]) -> tuple[Tenant, list[str]]:
        """The site, and which of one's own workspaces it is linked to. Raises NotFound without
        any."""
        tenant = self._tenants.existing(site)
        linked = self._links.among(tenant.id, own)
        if not linked:
            raise unknown_site(site)
        return tenant, linked

    def of(self, site: str, own: Collection[str]) -> dict[str, Any]:
        """Raises NotFound."""
        tenant, _ = self.linked(site, own)
        return _document(tenant, self._troubles.of(tenant.id))

    def page(self, own: Collection[str], after: str, limit: int) -> dict[str, Any]:
        """In the order of the sites' ids."""
        ids, following = _cut(self._links.sites_of(own), after, limit)
        documents = (
            (tenant.id, _document(tenant, self._troubles.of(tenant.id)))
            for tenant in map(self._tenants.get, ids)
            if tenant and tenant.merged_into is None
        )
        return page_document("sites", documents, following)

    def replays(
        self, site: str, own: Collection[str], now: int, after: str, limit: int
    ) -> dict[str, Any]:
        """Of one's own workspaces that are linked, in their order. Raises NotFound."""
        tenant, linked = self.linked(site, own)
        ids, following = _cut(linked, after, limit)
        documents = (
            (replay.workspace_id, _replay_document(replay, now))
            for replay in self._replays.of_workspaces(tenant.id, ids)
        )
        return page_document("replays", documents, following)


class WorkspaceSites:
    """The sites that one workspace is linked to, with what each is owed of it."""

    def __init__(
        self, parts: TenantParts, snapshots: SiteSnapshotStore, debts: "DebtStore"
    ) -> None:
        self._links = parts.links
        self._snapshots = snapshots
        self._debts = debts

    def page(self, workspace_id: str, now: int, after: str, limit: int) -> dict[str, Any]:
        ids, following = _cut(self._links.sites_of([workspace_id]), after, limit)
        documents = (
            (
                one.tenant.id,
                _document(one.tenant, one.trouble)
                | {"owed": self._debts.count(workspace_id, one.tenant.id, OWED_MAX)}
                | ({"replay": _replay_document(one.replay, now)} if one.replay else {}),
            )
            for one in self._snapshots.of(workspace_id, ids)
            if one.tenant.merged_into is None
        )
        return page_document("sites", documents, following)


def _document(tenant: Tenant, trouble: Trouble | None) -> dict[str, Any]:
    uninstalled = tenant.state is TenantState.UNINSTALLED
    document: dict[str, Any] = {
        "id": tenant.id,
        "baseUrl": tenant.base_url,
        "state": state_of(tenant, trouble),
    }
    if trouble and not uninstalled:
        own = replace(trouble, message=without_words(trouble.message))
        document["trouble"] = trouble_document(own)
    return document


def _replay_document(replay: Replay, now: int) -> dict[str, Any]:
    """The site may have said to another workspace why this one waits."""
    reason = replay.reason and without_words(replay.reason)
    return replay_document(replace(replay, reason=reason), now)


def _cut(ids: Iterable[str], after: str, limit: int) -> tuple[list[str], str | None]:
    """A page of ids, and after which of them the next one begins."""
    page = [one for one in ids if one > after][:limit]
    return page, page[-1] if len(page) == limit else None
