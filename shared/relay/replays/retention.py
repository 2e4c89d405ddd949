"""Retention: closed entities that have not changed for so long leave the record.

A pass goes over all workspaces, a page at a time, as part of the sweeps. It deletes an entry
itself, and does not leave that to DynamoDB's expiry, which deletes at its own time: a site could
become owed the entity between the two.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from relay.catalog.workspaces import WorkspaceStore
from relay.delivery.session import TimeLeft
from relay.delivery.sites import LinkedSite, Sites
from relay.entities.model import EntityKey
from relay.entities.moment import moment_of
from relay.record.debts import DebtStore
from relay.record.entry import Entry
from relay.record.outcomes import OutcomeState, state_of
from relay.record.retention import Pass, RetentionStore
from relay.record.store import RecordStore
from relay.telemetry import logger
from relay.tenants.tenant import TenantState

# The statuses after which nothing is left to do.
_CLOSED = ("resolved", "completed")
_ENTRIES_AT_ONCE = 1000
_BYTES_AT_ONCE = 2_000_000
# A transaction's. For each, two queries per site look for associations.
_LEAVING_AT_ONCE = 100
# With less time left, the pass continues at the next sweep.
_PAGE_SECONDS = 30
# A pass reads the whole record. In milliseconds.
_PASS_EVERY = 86_400_000


class Retention:
    """Every method raises Unavailable, or an AWS error; the pass then continues at that page."""

    def __init__(
        self,
        store: RetentionStore,
        record: RecordStore,
        debts: DebtStore,
        sites: Sites,
        workspaces: WorkspaceStore,
        days: int,
    ) -> None:
        self._store = store
        self._record = record
        self._debts = debts
        self._sites = sites
        self._workspaces = workspaces
        self._days = days

    def apply(self, time_left: TimeLeft) -> None:
        """Continue the pass, or start one if the last began a day ago, while there is time.

        `time_left` returns seconds. Does nothing if entities are kept for ever (0 days).
        """
        if not self._days:
            return
        now = int(time.time() * 1000)
        current = self._store.last_pass()
        if current.is_done:
            if now - current.started_at < _PASS_EVERY:
                return
            current = self._in_next_workspace(Pass(now, is_done=False))
        while not current.is_done and time_left() > _PAGE_SECONDS:
            current = self._page(current, time_left)
            self._store.save_pass(current)

    def _page(self, current: Pass, time_left: TimeLeft) -> Pass:
        """Examines a page; returns where the pass continues."""
        workspace_id = current.workspace_id
        if not self._workspaces.get_all([workspace_id]):
            # It was deleted or is being erased: nothing may name it any more.
            return self._in_next_workspace(current)
        page = self._record.page(
            workspace_id, current.after, _ENTRIES_AT_ONCE, None, _BYTES_AT_ONCE
        )
        before = datetime.now(UTC) - timedelta(days=self._days)
        old = [
            entry
            for entry in page.entries
            if _is_closed(entry) and moment_of(entry.recorded_at) < before
        ]
        while old:
            self._remove(workspace_id, old[:_LEAVING_AT_ONCE])
            old = old[_LEAVING_AT_ONCE:]
            if old and time_left() < _PAGE_SECONDS:
                # The page is read again, without those that have left.
                return current
        if page.next:
            return replace(current, after=page.next)
        return self._in_next_workspace(current)

    def _in_next_workspace(self, current: Pass) -> Pass:
        following = self._workspaces.page(current.workspace_id, 1)
        if not following:
            return Pass(current.started_at)
        return replace(current, workspace_id=following[0].id, after=None)

    def _remove(self, workspace_id: str, old: Sequence[Entry]) -> None:
        """Removes those that no site is owed."""
        linked = self._sites.linked_to(workspace_id)
        owed = {key for site in linked for key in self._owed(site, old)}
        leaving = [one for one in old if one.key not in owed]
        for site in linked:
            # First, as only the entity leads to them.
            ids = [site.ids.at_site(one.key.id) for one in leaving]
            self._store.remove_associations(site.tenant.id, ids)
        removed = self._store.remove(workspace_id, leaving)
        for site in linked:
            self._store.remove_answers(workspace_id, site.tenant.id, removed)
        logger.info("Left the record", workspace_id=workspace_id, entities=len(removed))

    def _owed(self, site: LinkedSite, old: Sequence[Entry]) -> set[EntityKey]:
        """What the site is owed of these. A site without the app is owed nothing: once it installs
        it again, it gets what the record has then."""
        if site.tenant.state is not TenantState.ACTIVE:
            return set()
        keys = [entry.key for entry in old]
        outcomes = self._record.outcomes_of(site.workspace_id, site.tenant.id, keys)
        unanswered = {
            entry.key
            for entry in old
            if state_of(entry, outcomes.get(entry.key), site.generation) is OutcomeState.OWED
        }
        return unanswered | self._debts.of(site.workspace_id, site.tenant.id, keys).keys()


def _is_closed(entry: Entry) -> bool:
    return entry.entity is not None and entry.entity["status"] in _CLOSED
