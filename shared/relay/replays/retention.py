"""Retention: removes closed entities from the record that have not changed for a number of days.

A pass goes over all workspaces, a page at a time, as part of the sweeps. It deletes an entry
itself, and does not leave that to DynamoDB's expiry, which deletes at its own time: a site could
become owed the entity between the two. A review stays as long as one of its incidents.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from relay.catalog.workspaces import WorkspaceStore
from relay.delivery.session import TimeLeft
from relay.delivery.sites import LinkedSite, Sites
from relay.entities.model import EntityKey, Kind
from relay.entities.moment import moment_of
from relay.record.debts import Debt, DebtStore
from relay.record.entry import Entry
from relay.record.outcomes import Outcome, OutcomeState, state_of
from relay.record.retention import Pass, RetentionStore
from relay.record.store import RecordStore
from relay.telemetry import Metric, count, logger
from relay.tenants.tenant import TenantState

# The statuses after which nothing is left to do.
_CLOSED = ("resolved", "completed")
_ENTRIES_AT_ONCE = 1000
_BYTES_AT_ONCE = 2_000_000
# A transaction's. For each, two queries per site look for associations.
_REMOVED_AT_ONCE = 100
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
            workspace_id, current.after, _ENTRIES_AT_ONCE, None, _BYTES_AT_ONCE, with_removed=True
        )
        before = datetime.now(UTC) - timedelta(days=self._days)
        removable = (
            entry
            for entry in page.entries
            # What this pass has removed before it was cut off, which may have outcomes left.
            if entry.removed_at == current.started_at
            or (_is_closed(entry) and moment_of(entry.recorded_at) < before)
        )
        for chunk in _chunks(removable):
            self._remove(current, chunk)
            if time_left() < _PAGE_SECONDS:
                return replace(current, after=chunk[-1].key)
        if page.next:
            return replace(current, after=page.next)
        return self._in_next_workspace(current)

    def _in_next_workspace(self, current: Pass) -> Pass:
        following = self._workspaces.page(current.workspace_id, 1)
        if not following:
            return Pass(current.started_at)
        return replace(current, workspace_id=following[0].id, after=None)

    def _remove(self, current: Pass, entries: Sequence[Entry]) -> None:
        """Removes those that no site is owed, and the outcomes and debts of those already removed.

        A site's answers are read before its entity is removed, so they are not those of a newer
        state, and are deleted unless they have changed since.
        """
        workspace_id = current.workspace_id
        gone = [entry for entry in entries if entry.removed_at]
        old = self._without_incidents(workspace_id, [one for one in entries if not one.removed_at])
        sites = self._sites.linked_to(workspace_id)
        at_sites = [self._at_site(site, [*gone, *old]) for site in sites]
        owed = {key for at_site in at_sites for key in at_site.owed(old)}
        due = [entry for entry in old if entry.key not in owed]
        removed = self._store.remove(workspace_id, [*gone, *due], current.started_at)
        for at_site in at_sites:
            tenant_id = at_site.site.tenant.id
            ids = [at_site.site.ids.at_site(one.id) for one in removed]
            self._store.remove_associations(tenant_id, ids)
            outcomes = [at_site.outcomes[one] for one in removed & at_site.outcomes.keys()]
            self._store.remove_outcomes(workspace_id, tenant_id, outcomes)
            debts = [at_site.debts[one] for one in removed & at_site.debts.keys()]
            self._debts.paid(workspace_id, tenant_id, debts)
        new = len(removed - {entry.key for entry in gone})
        count(Metric.REMOVED, new)
        logger.info("Removed from the record", workspace_id=workspace_id, entities=new)

    def _without_incidents(self, workspace_id: str, old: Sequence[Entry]) -> list[Entry]:
        """Those without reviews of an incident that stays: a new draft would replace its review."""
        reviewed = {entry.key: _reviewed(entry) for entry in old}
        asked = {incident for incidents in reviewed.values() for incident in incidents}
        heads = self._record.heads_of(workspace_id, asked)
        # Of a deleted one, no draft is made.
        staying = {head.key for head in heads if not head.is_deleted}
        return [entry for entry in old if staying.isdisjoint(reviewed[entry.key])]

    def _at_site(self, site: LinkedSite, entries: Sequence[Entry]) -> "_AtSite":
        keys = [entry.key for entry in entries]
        return _AtSite(
            site,
            self._record.outcomes_of(site.workspace_id, site.tenant.id, keys),
            self._debts.of(site.workspace_id, site.tenant.id, keys),
        )


@dataclass(frozen=True, slots=True)
class _AtSite:
    """The outcomes and debts of entities at a site, as they were read."""

    site: LinkedSite
    outcomes: Mapping[EntityKey, Outcome]
    debts: Mapping[EntityKey, Debt]

    def owed(self, entries: Sequence[Entry]) -> set[EntityKey]:
        """What the site is owed of these. A site without the app is owed nothing: once it installs
        it again, it gets what the record has then."""
        if self.site.tenant.state is not TenantState.ACTIVE:
            return set()
        unanswered = {
            entry.key
            for entry in entries
            if state_of(entry, self.outcomes.get(entry.key), self.site.generation)
            is OutcomeState.OWED
        }
        return unanswered | self.debts.keys()


def _chunks(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    """At most _REMOVED_AT_ONCE of one kind; reviews come after the incidents that they name."""
    for _, same in groupby(entries, key=lambda entry: entry.key.kind):
        found = list(same)
        for start in range(0, len(found), _REMOVED_AT_ONCE):
            yield found[start : start + _REMOVED_AT_ONCE]


def _is_closed(entry: Entry) -> bool:
    return entry.entity is not None and entry.entity["status"] in _CLOSED


def _reviewed(entry: Entry) -> set[EntityKey]:
    """The incidents of a review; none of an incident."""
    named = entry.entity["reviews"] if entry.entity and entry.key.kind is Kind.REVIEW else ()
    return {EntityKey(Kind.INCIDENT, one) for one in named}
