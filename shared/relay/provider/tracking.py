"""The status of entities: the recorded state, and the outcome at each linked site."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from relay.catalog.containers import normalized
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
# For a page, a text is searched for in this many bytes of JSON, in chunks that fit into memory.
_SEARCHED_BYTES_MAX = 5_000_000
_SEARCHED_AT_ONCE = 25
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
class EntityFilter:
    """Selects the entities in a state at any site, and those with a text anywhere; None for all."""

    state: OutcomeState | None = None
    text: str | None = None

    @property
    def chunk(self) -> int:
        """How many entries are examined at once; 0 for as many as a page holds."""
        if self.text:
            return _SEARCHED_AT_ONCE
        return _CHUNK if self.state else 0


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
        self, workspace_id: str, only: EntityFilter, after: EntityKey | None, limit: int
    ) -> Page:
        """Those of the entities after this key that pass the filter, in the record's order.

        A page holds at most `limit` entities. It may hold fewer without being the last.
        """
        linked = self._sites.linked_to(workspace_id)
        size = only.chunk or limit
        found: list[tuple[Head, list[EntityAtSite]]] = []
        examined = read = 0
        while examined + size <= _EXAMINED_MAX and read < _SEARCHED_BYTES_MAX:
            heads, last, bytes_read = self._chunk(workspace_id, only.text, after, size)
            for entry, sites in self._at_sites(heads, linked):
                if only.state is None or any(site.state is only.state for site in sites):
                    found.append((entry, sites))
                    if len(found) == limit:
                        return Page(found, entry.key)
            if last is None:
                return Page(found, None)
            after = last
            examined, read = examined + size, read + bytes_read
        return Page(found, after)

    def _chunk(
        self, workspace_id: str, text: str | None, after: EntityKey | None, size: int
    ) -> tuple[Sequence[Head], EntityKey | None, int]:
        """Those of the next entries that hold the text; the last entry that was read, None at the
        end; and how many bytes were searched."""
        if text is None:
            heads = list(self._record.heads(workspace_id, after, size))
            return heads, heads[-1].key if len(heads) == size else None, 0
        entries = list(self._record.entries(workspace_id, after, size))
        last = entries[-1].key if len(entries) == size else None
        searched = sum(entry.size for entry in entries)
        return [entry for entry in entries if _holds(entry, normalized(text))], last, searched

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


def _holds(entry: Entry, text: str) -> bool:
    """Whether the entity or a property holds this normalized text."""
    held = chain(_strings(entry.entity), entry.properties.values())
    return any(text in normalized(one) for one in held)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(one)


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
