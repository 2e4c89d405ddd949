"""What the page for a site's admin shows: the site's links and offers, and how each is doing."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.catalog.sources import Source, SourceStore
from relay.catalog.workspaces import Workspace, WorkspaceStore
from relay.entities.model import EntityKey, Kind
from relay.errors import NotFound
from relay.record.link_counts import LinkCounter, LinkCounts
from relay.record.partitions import ReadBudget
from relay.record.store import RecordStore
from relay.tenants.links import Link, LinkStore, unknown_link
from relay.tenants.replay import Replay, generation
from relay.tenants.replays import ReplayStore
from relay.tenants.tenant import Tenant

TEST_INCIDENT = EntityKey(Kind.INCIDENT, "relay-test")
# Calls of DynamoDB, each of at most a megabyte, for the counts of the whole page and of one
# workspace. Beyond them, each workspace has those that count a small one, up to those of all small:
# one call for each shard of its debts, outcomes and entities.
_READS_OF_SMALL = 48
_READS_OF_WORKSPACE = 2 * _READS_OF_SMALL
_READS_OF_PAGE = 5 * _READS_OF_WORKSPACE
_READS_OF_ALL_SMALL = 20 * _READS_OF_SMALL
_SOURCES_MAX = 100


@dataclass(frozen=True, slots=True)
class LinkedWorkspace:
    """A workspace that is linked to the site; `replay` is None if there was none.

    If the operations tool has deleted the workspace, its link and all that it has in Jira stay:
    then `name` is its id, and `url` None.
    """

    id: str
    name: str
    url: str | None
    counts: LinkCounts
    sources: Sequence[Source]
    replay: Replay | None
    has_test_incident: bool


class AdminPage:
    """Reads a site's links and offers. Every method raises TABLE_ERRORS."""

    def __init__(
        self,
        links: LinkStore,
        replays: ReplayStore,
        workspaces: WorkspaceStore,
        sources: SourceStore,
        record: RecordStore,
        counter: LinkCounter,
    ) -> None:
        self._links = links
        self._replays = replays
        self._workspaces = workspaces
        self._sources = sources
        self._record = record
        self._counter = counter

    def linked(self, tenant: Tenant) -> list[LinkedWorkspace]:
        """The linked workspaces in the order of their names."""
        replays = {replay.workspace_id: replay for replay in self._replays.of_tenant(tenant.id)}
        left = ReadBudget(_READS_OF_PAGE)
        ids = self._links.workspaces_of(tenant.id)
        known = {one.id: one for one in self._workspaces.get_all(ids)}
        found = sorted(((id_, known.get(id_)) for id_ in ids), key=_by_name)
        return [self._linked(tenant, *one, replays.get(one[0]), left) for one in found]

    def offered(self, tenant: Tenant) -> list[Workspace]:
        """The workspaces that are offered and not linked, in the order of their names."""
        linked = set(self._links.workspaces_of(tenant.id))
        found = self._workspaces.get_all(set(self._links.offers_to(tenant.id)) - linked)
        return sorted(found, key=lambda one: _by_name((one.id, one)))

    def link(self, tenant: Tenant, workspace_id: str) -> Link:
        """The link of the site and the workspace. Raises NotFound."""
        link = self._links.get(tenant.id, workspace_id)
        if link is None:
            raise unknown_link()
        return link

    def check_offered(self, tenant: Tenant, workspace_id: str) -> None:
        """Raises NotFound unless the workspace is offered or already linked to the site."""
        is_linked = self._links.get(tenant.id, workspace_id) is not None
        if not is_linked and workspace_id not in self._links.offers_to(tenant.id):
            raise NotFound("The workspace is not offered to the site.", code="unknown_offer")

    def _linked(
        self,
        tenant: Tenant,
        workspace_id: str,
        workspace: Workspace | None,
        replay: Replay | None,
        left: ReadBudget,
    ) -> LinkedWorkspace:
        most = _most_reads(left.left)
        own = ReadBudget(most)
        counts = self._counter.of(workspace_id, tenant.id, generation(tenant, replay), own)
        left.left -= most - max(own.left, 0)
        test = self._record.heads_of(workspace_id, [TEST_INCIDENT])
        return LinkedWorkspace(
            workspace_id,
            workspace.name if workspace else workspace_id,
            workspace.url if workspace else None,
            counts,
            self._sources.page(workspace_id, "", _SOURCES_MAX),
            replay,
            has_test_incident=any(not head.is_deleted for head in test),
        )


def _by_name(one: tuple[str, Workspace | None]) -> tuple[str, str]:
    workspace_id, workspace = one
    return (workspace.name if workspace else workspace_id).casefold(), workspace_id


def _most_reads(left: int) -> int:
    """For the next workspace's counts; `left` is negative once small ones have used their own."""
    if left <= -_READS_OF_ALL_SMALL:
        return 0
    return max(_READS_OF_SMALL, min(left, _READS_OF_WORKSPACE))
