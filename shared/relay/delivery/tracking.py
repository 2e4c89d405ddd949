"""Where an entity is, and why: what the record holds, and what became of it at every site."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from relay.delivery.sites import Sites
from relay.entities import EntityKey
from relay.entities.association import Target
from relay.errors import BadRequest, Detail, NotFound
from relay.record import AssociationStore, Entry, Outcome, OutcomeState, RecordStore
from relay.tenants import LinkStore, Tenant, TenantStore

_CHUNK = 100
# How many entries a page looks at: a page may be short, or empty, and still not be the last.
_LOOKED_AT_MAX = 1000


@dataclass(frozen=True, slots=True)
class AtSite:
    """`outcome` is of `outcome.sequence`, which may be older than what is recorded: then the site
    is owed the rest. `in_jira` is what Jira itself holds, where it was asked."""

    tenant: Tenant
    state: OutcomeState
    outcome: Outcome | None
    associations: Sequence[Target] = ()
    asked: bool = False
    in_jira: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is where the next page begins; None at the end."""

    entries: list[tuple[Entry, list[AtSite]]]
    next: EntityKey | None


class Tracking:
    def __init__(
        self,
        record: RecordStore,
        associations: AssociationStore,
        tenants: TenantStore,
        links: LinkStore,
        sites: Sites,
    ) -> None:
        self._record = record
        self._associations = associations
        self._tenants = tenants
        self._links = links
        self._sites = sites

    def of(
        self, workspace_id: str, entity: EntityKey, confirm: bool = False
    ) -> tuple[Entry, list[AtSite]]:
        """One entity at every linked site; `confirm` asks Jira, too. Raises NotFound, JiraError."""
        entry = self._record.get(workspace_id, entity)
        if entry is None:
            raise NotFound(f"There is no {entity.kind} {entity.id!r}.", code="unknown_entity")
        found = []
        for tenant in self._linked(workspace_id):
            outcome = self._record.outcomes_of(workspace_id, tenant.id, [entity]).get(entity)
            site = self._sites.of(tenant) if confirm else None
            found.append(
                AtSite(
                    tenant,
                    state_of(entry, outcome),
                    outcome,
                    self._associations.of(tenant.id, entity),
                    asked=site is not None,
                    in_jira=site.jira.entity(entity.kind, entity.id) if site else None,
                )
            )
        return entry, found

    def page(
        self, workspace_id: str, state: OutcomeState | None, after: EntityKey | None, limit: int
    ) -> Page:
        """Entities in the order of their keys; those that are in this state at some site."""
        tenants = self._linked(workspace_id)
        size = _CHUNK if state else limit
        found: list[tuple[Entry, list[AtSite]]] = []
        for _ in range(_LOOKED_AT_MAX // size):
            chunk = list(self._record.entries(workspace_id, after, size))
            for entry, sites in self._at_sites(workspace_id, chunk, tenants):
                if state is None or any(site.state is state for site in sites):
                    found.append((entry, sites))
                    if len(found) == limit:
                        return Page(found, entry.key)
            if len(chunk) < size:
                return Page(found, None)
            after = chunk[-1].key
        return Page(found, after)

    def _at_sites(
        self, workspace_id: str, entries: Sequence[Entry], tenants: Sequence[Tenant]
    ) -> Iterator[tuple[Entry, list[AtSite]]]:
        keys = [entry.key for entry in entries]
        outcomes = {
            tenant.id: self._record.outcomes_of(workspace_id, tenant.id, keys) for tenant in tenants
        }
        for entry in entries:
            known = [(tenant, outcomes[tenant.id].get(entry.key)) for tenant in tenants]
            yield (
                entry,
                [AtSite(tenant, state_of(entry, outcome), outcome) for tenant, outcome in known],
            )

    def _linked(self, workspace_id: str) -> list[Tenant]:
        tenants = map(self._tenants.get, self._links.tenants_of(workspace_id))
        return [tenant for tenant in tenants if tenant]


def state_of(entry: Entry, outcome: Outcome | None) -> OutcomeState:
    """An outcome counts for the state that it is of; anything older means that the rest is owed."""
    if outcome is None or outcome.sequence < entry.sequence:
        return OutcomeState.OWED
    if entry.deleted_at is not None and outcome.state is not OutcomeState.DELETED:
        return OutcomeState.OWED
    return outcome.state


def state_named(name: str | None) -> OutcomeState | None:
    """Raises BadRequest for a name that is no state's."""
    if not name:
        return None
    try:
        return OutcomeState(name)
    except ValueError:
        rule = Detail("state", "enum", "One of " + ", ".join(OutcomeState))
        raise BadRequest("There is no such state.", [rule]) from None
