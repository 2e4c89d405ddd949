"""The stages of a workspace's erasure, from its sites to its last item.

First it is unlinked everywhere, then Relay waits until every call and delivery under way has ended:
none writes anything about the workspace afterwards. What such a delivery brought to a site is then
deleted there, and last the tables' items.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from relay.catalog.erasures import ErasedSite, Erasure, ErasureStage
from relay.errors import NotFound, Unavailable
from relay.jira.errors import without_details
from relay.provider.erased_data import WorkspaceData
from relay.provider.erasing import WAIT_MS
from relay.provider.unlinking import WorkspaceUnlinker
from relay.queues.replays import UnlinkedWorkspace
from relay.replays.starter import ReplayStarter
from relay.telemetry import logger
from relay.tenants.links import LinkStore
from relay.tenants.store import TenantStore

# The longest delay of an SQS message.
_RETRY_MS = 900_000
_STAGES = [stage for stage in ErasureStage if stage is not ErasureStage.POINTERS]
_FOLLOWING: dict[ErasureStage, ErasureStage] = dict(pairwise(_STAGES))


class ErasureStages:
    """Carries out the stages of erasures. Raises TABLE_ERRORS; repeating is safe."""

    def __init__(
        self,
        tenants: TenantStore,
        links: LinkStore,
        starter: ReplayStarter,
        unlinker: WorkspaceUnlinker,
        data: WorkspaceData,
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._starter = starter
        self._unlinker = unlinker
        self._data = data

    def run(self, erasure: Erasure, now: int) -> Iterator[Erasure]:
        """Carry out the erasure's stage: yields the erasure after each part of it, to be saved.

        The last one is of the following stage, unless this one must wait until `due`, for a site
        as `reason` says. `now` is in epoch milliseconds.
        """
        workspace_id = erasure.subject
        match erasure.stage:
            case ErasureStage.UNLINK:
                yield from self._unlink(erasure, now)
            case ErasureStage.WAIT:
                # A merged site's links are moved without asking for the workspace.
                is_linked = bool(self._links.of_workspace(workspace_id))
                stage = ErasureStage.UNLINK if is_linked else ErasureStage.SITES
                yield replace(erasure, stage=stage)
            case ErasureStage.SITES:
                reasons = [self._left_at(workspace_id, site) for site in erasure.sites]
                yield _after_calls(erasure, list(filter(None, reasons)), now)
            case ErasureStage.SOURCES:
                for deleted, cursor in self._data.sources(workspace_id, erasure.cursor):
                    erasure = replace(erasure, deleted=erasure.deleted + deleted, cursor=cursor)
                    yield erasure
                yield _next(replace(erasure, cursor=()))
            case _:
                for deleted in self._deleted(erasure):
                    erasure = replace(erasure, deleted=erasure.deleted + deleted)
                    yield erasure
                yield _next(erasure)

    def _deleted(self, erasure: Erasure) -> Iterator[int]:
        match erasure.stage:
            case ErasureStage.ENTITIES:
                return self._data.entities(erasure.subject, erasure.sites)
            case ErasureStage.DELIVERIES:
                return self._data.deliveries(erasure.subject)
            case _:
                return self._data.catalog(erasure.subject)

    def _unlink(self, erasure: Erasure, now: int) -> Iterator[Erasure]:
        workspace_id = erasure.subject
        for link in self._links.of_workspace(workspace_id):
            tenant = self._tenants.get(link.tenant_id)
            if tenant:
                # The data is at the site of the tenant that this one was merged into.
                self._starter.take_over(tenant)
        links = self._links.of_workspace(workspace_id)
        found = {link.tenant_id: ErasedSite(link.tenant_id, link.ids) for link in links}
        known = {site.tenant_id: site for site in erasure.sites}
        erasure = replace(erasure, sites=tuple((known | found).values()))
        # Saved before a link, which holds the ids there, is gone.
        yield erasure
        failed = []
        for link in links:
            try:
                self._unlinker.unlink(link.tenant_id, workspace_id)
            except NotFound:
                self._links.unlink(link.tenant_id, workspace_id)
            except Unavailable as error:
                failed.append(_reason(link.tenant_id, error))
        unlinked = _after_calls(erasure, failed, now)
        yield unlinked if failed else replace(unlinked, due=now + WAIT_MS)

    def _left_at(self, workspace_id: str, site: ErasedSite) -> str:
        """Delete what is left at the site; why that failed, or empty."""
        left = UnlinkedWorkspace(site.tenant_id, workspace_id, site.ids, generation=0)
        try:
            error: Unavailable | None = self._unlinker.delete_left(left)
        except Unavailable as unavailable:
            error = unavailable
        return _reason(site.tenant_id, error) if error else ""


def _reason(tenant_id: str, error: Unavailable) -> str:
    reason = f"Site {tenant_id}: {without_details(error.message)}"
    logger.warning("A workspace can't be erased at a site now", reason=reason)
    return reason


def _after_calls(erasure: Erasure, failed: list[str], now: int) -> Erasure:
    """The following stage, or if a site failed the same one later."""
    if failed:
        return replace(erasure, reason=failed[0], due=now + _RETRY_MS)
    return _next(replace(erasure, reason=""))


def _next(erasure: Erasure) -> Erasure:
    return replace(erasure, stage=_FOLLOWING[erasure.stage])
