"""The stages of an erasure, from its sites to its last item.

A workspace is first unlinked in Relay, then Relay waits until every call and delivery under way has
ended: none writes anything about it afterwards, here or at a site. Each site is called once before
the tables are cleared, and those that were not reached again afterwards, for SITES_DAYS. A site's
erasure has neither links nor calls; its tenant is deleted when it begins.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from relay.aws import AWS_ERRORS
from relay.catalog.erasure import ErasedSite, Erasure, ErasureStage
from relay.delivery.session import CALL_SECONDS
from relay.errors import NotFound, Unavailable
from relay.jira.errors import without_details
from relay.provider.erased_data import ErasedData
from relay.provider.unlinking import WorkspaceUnlinker
from relay.queues.delays import DELAY_MAX, DRAIN_SECONDS
from relay.replays.starter import ReplayStarter
from relay.telemetry import logger
from relay.tenants.links import LinkStore
from relay.tenants.store import TenantStore

# How long a site that can't be called is called again. It leaves half a month of the month that
# privacy laws allow.
SITES_DAYS = 14
# The delay after the first failed attempt, doubled with each, and the longest.
_FIRST_DELAY_MS = DELAY_MAX * 1000
_LAST_DELAY_MS = 6 * 3_600_000
_DAY_MS = 86_400_000
_REASON_MAX = 100
_NO_SECRET = "The site's secret can't be read."  # noqa: S105
# Seconds. A site takes at most four calls.
_SITE_SECONDS = 4 * CALL_SECONDS
_PART_SECONDS = 40
_CALLING = (ErasureStage.SITES, ErasureStage.UNREACHED)


class ErasureStages:
    """Carries out the stages of erasures. Raises TABLE_ERRORS; repeating is safe.

    `clock` returns epoch milliseconds.
    """

    def __init__(
        self,
        tenants: TenantStore,
        links: LinkStore,
        starter: ReplayStarter,
        unlinker: WorkspaceUnlinker,
        data: ErasedData,
        clock: Callable[[], int],
    ) -> None:
        self._tenants = tenants
        self._links = links
        self._starter = starter
        self._unlinker = unlinker
        self._data = data
        self._clock = clock

    def run(self, erasure: Erasure) -> Iterator[Erasure]:
        """Carry out the erasure's stage: yields the erasure after each part, to be saved. The last
        one is in another stage, or due later."""
        match erasure.stage:
            case ErasureStage.UNLINK:
                yield from self._unlink(erasure)
            case ErasureStage.WAIT:
                # A merged site's links are moved without asking for the workspace.
                is_linked = self._links.of_workspace(erasure.subject)
                unlink = replace(erasure, stage=ErasureStage.UNLINK)
                yield unlink if is_linked else erasure.following()
            case stage if stage in _CALLING:
                yield from self._call_sites(erasure)
            case _:
                yield from self._delete(erasure)

    def seconds_of_part(self, stage: ErasureStage) -> float:
        """The most time that one part of the stage takes."""
        return _SITE_SECONDS if stage in _CALLING else _PART_SECONDS

    def _unlink(self, erasure: Erasure) -> Iterator[Erasure]:
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
        for link in links:
            self._links.unlink(link.tenant_id, workspace_id)
            yield erasure
        yield replace(erasure.following(), due=self._clock() + DRAIN_SECONDS * 1000)

    def _delete(self, erasure: Erasure) -> Iterator[Erasure]:
        for deleted, cursor in self._data.deleted(erasure):
            erasure = replace(erasure, deleted=erasure.deleted + deleted, cursor=cursor)
            yield erasure
        yield erasure.following()

    # --- The sites ---

    def _call_sites(self, erasure: Erasure) -> Iterator[Erasure]:
        """Delete the workspace at each site that is due."""
        for site in erasure.sites:
            if not site.is_cleared and site.due <= self._clock():
                cleared = self._cleared(erasure.subject, site)
                sites = tuple(cleared if one is site else one for one in erasure.sites)
                erasure = replace(erasure, sites=sites)
                yield erasure
        is_first = erasure.stage is ErasureStage.SITES
        yield erasure.following() if is_first else self._after_unreached(erasure)

    def _cleared(self, workspace_id: str, site: ErasedSite) -> ErasedSite:
        try:
            self._unlinker.clear(site.tenant_id, workspace_id, site.ids)
        except (Unavailable, NotFound) as error:
            return self._failed(site, without_details(error.message))
        except AWS_ERRORS:
            return self._failed(site, _NO_SECRET)
        return replace(site, is_cleared=True)

    def _failed(self, site: ErasedSite, reason: str) -> ErasedSite:
        logger.warning(
            "A workspace can't be erased at a site now", tenant_id=site.tenant_id, reason=reason
        )
        delay = min(_FIRST_DELAY_MS << site.attempts, _LAST_DELAY_MS)
        return replace(
            site,
            attempts=site.attempts + 1,
            due=self._clock() + delay,
            reason=reason[:_REASON_MAX],
        )

    def _after_unreached(self, erasure: Erasure) -> Erasure:
        uncleared = [site for site in erasure.sites if not site.is_cleared]
        if not uncleared:
            return erasure.following()
        if self._clock() >= erasure.started_at + SITES_DAYS * _DAY_MS:
            for site in uncleared:
                logger.error(
                    "A workspace was not erased at a site: it was not reached",
                    tenant_id=site.tenant_id,
                    reason=site.reason,
                )
            return erasure.following()
        return replace(erasure, due=min(site.due for site in uncleared))
