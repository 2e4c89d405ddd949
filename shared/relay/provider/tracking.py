"""The status of entities: the recorded state, and the outcome at each linked site."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relay.delivery.sites import LinkedSite, Sites
from relay.entities.association import Target
from relay.entities.model import EntityKey
from relay.errors import BadRequest, Detail, NotFound
from relay.record.associations import AssociationStore
from relay.record.debts import Debt, DebtStore
from relay.record.entry import Entry, Head
from relay.record.outcomes import Outcome, OutcomeState, state_of
from relay.record.store import RecordStore
from relay.tenants.tenant import Tenant, TenantState

_CHUNK = 100
# An entity may be associated with any number of issues; Jira itself shows all of them.
ASSOCIATIONS_SHOWN_MAX = 100
# The most entries that are examined for a page, so a page may be short or empty without being last.
_EXAMINED_MAX = 1000
_UNDER_WAY = "It is being replayed."


@dataclass(frozen=True, slots=True)
class EntityAtSite:
    """An entity at one linked site.

    `outcome` is for `outcome.sequence`, which may be older than the recorded state. The site is
    then owed the newer state: `owed_since` (RFC 3339) and `reason` are set if they are known.
    `until`, in epoch milliseconds, is set if the entity is postponed. `associations` has one item
    more than ASSOCIATIONS_SHOWN_MAX if there are more. `asked` is whether Jira was asked, and
    `in_jira` is its answer; None if it does not have the entity.
    """

    tenant: Tenant
    state: OutcomeState
    outcome: Outcome | None
    owed_since: str | None = None
    reason: str | None = None
    until: int | None = None
    associations: Sequence[Target] = ()
    asked: bool = False
    in_jira: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is where the next page begins; None at the end."""

    entries: list[tuple[Head, list[EntityAtSite]]]
    next: EntityKey | None


class EntityTracker:
    """Reads the status of entities. Every method raises Unavailable, or an AWS error."""

    def __init__(
        self,
        record: RecordStore,
        associations: AssociationStore,
        debts: DebtStore,
        sites: Sites,
    ) -> None:
        self._record = record
        self._associations = associations
        self._debts = debts
        self._sites = sites

    def of(
        self, workspace_id: str, entity: EntityKey, confirm: bool = False
    ) -> tuple[Entry, list[EntityAtSite]]:
        """The recorded entry of one entity, and its status at every linked site.

        `confirm` also asks each site's Jira. Raises NotFound, JiraError.
        """
        entry = self._record.get(workspace_id, entity)
        if entry is None:
            raise NotFound(f"There is no {entity.kind} {entity.id!r}.", code="unknown_entity")
        found = []
        for linked in self._sites.linked_to(workspace_id):
            [at_site] = self.at_site(linked, [entry])
            at_site_key = EntityKey(entity.kind, linked.ids.at_site(entity.id))
            site = self._sites.jira_for(linked) if confirm else None
            found.append(
                replace(
                    at_site,
                    associations=self._associations.of(
                        linked.tenant.id, at_site_key, ASSOCIATIONS_SHOWN_MAX + 1
                    ),
                    asked=site is not None,
                    in_jira=site.entity(entity.kind, entity.id) if site else None,
                )
            )
        return entry, found

    def page(
        self, workspace_id: str, state: OutcomeState | None, after: EntityKey | None, limit: int
    ) -> Page:
        """Entities after this key, in the record's order; with a `state`, those in it at any site.

        A page holds at most `limit` entities. It may hold fewer without being the last.
        """
        linked = self._sites.linked_to(workspace_id)
        size = _CHUNK if state else limit
        found: list[tuple[Head, list[EntityAtSite]]] = []
        for _ in range(_EXAMINED_MAX // size):
            chunk = list(self._record.heads(workspace_id, after, size))
            for entry, sites in self._at_sites(chunk, linked):
                if state is None or any(site.state is state for site in sites):
                    found.append((entry, sites))
                    if len(found) == limit:
                        return Page(found, entry.key)
            if len(chunk) < size:
                return Page(found, None)
            after = chunk[-1].key
        return Page(found, after)

    def _at_sites(
        self, entries: Sequence[Head], linked: Sequence[LinkedSite]
    ) -> Iterator[tuple[Head, list[EntityAtSite]]]:
        columns = [self.at_site(site, entries) for site in linked]
        for number, entry in enumerate(entries):
            yield entry, [column[number] for column in columns]

    def at_site(self, linked: LinkedSite, entries: Sequence[Head]) -> list[EntityAtSite]:
        """These entities at one site, in their order, without their associations."""
        keys = [entry.key for entry in entries]
        workspace_id, tenant_id = linked.workspace_id, linked.tenant.id
        outcomes = self._record.outcomes_of(workspace_id, tenant_id, keys)
        debts = self._debts.of(workspace_id, tenant_id, keys)
        return [
            _at_site(linked, entry, outcomes.get(entry.key), debts.get(entry.key))
            for entry in entries
        ]


def _at_site(
    linked: LinkedSite, entry: Head, outcome: Outcome | None, debt: Debt | None
) -> EntityAtSite:
    state = state_of(entry, outcome, linked.generation)
    # A deletion with a debt is delivered again. A postponed one has its state in its outcome.
    if debt and entry.is_deleted and debt.not_before is None:
        state = OutcomeState.OWED
    if state is not OutcomeState.OWED:
        return EntityAtSite(linked.tenant, state, outcome)
    if debt:
        return EntityAtSite(linked.tenant, state, outcome, debt.since, debt.reason, debt.not_before)
    replay = linked.replay
    if linked.tenant.state is TenantState.UNINSTALLED:
        return EntityAtSite(
            linked.tenant, state, outcome, reason="The site has uninstalled the app."
        )
    if replay is None or replay.is_done:
        return EntityAtSite(linked.tenant, state, outcome)
    return EntityAtSite(linked.tenant, state, outcome, reason=replay.reason or _UNDER_WAY)


def state_named(name: str | None) -> OutcomeState | None:
    """The state of this name; None if the name is None or empty. Raises BadRequest for others."""
    if not name:
        return None
    try:
        return OutcomeState(name)
    except ValueError:
        rule = Detail("state", "enum", "One of " + ", ".join(OutcomeState))
        raise BadRequest("`state` is not a valid state.", [rule]) from None
