"""Selecting the record's entries that a site still needs, in chunks, in the record's order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from relay.delivery.protocol import BATCH_BYTES_MAX
from relay.delivery.sites import LinkedSite
from relay.entities.model import EntityKey, EntityState, Kind
from relay.entities.moment import moment_of
from relay.entities.submission import ENTITY_BYTES_MAX
from relay.record.entry import Entry
from relay.record.outcomes import Outcome, OutcomeState, state_of
from relay.record.store import RecordStore

_CHUNK = 1000
# The size of a chunk's entities: it fits into one request to Jira, and into little memory.
_CHUNK_BYTES = BATCH_BYTES_MAX - 100_000
# Reads for one chunk. The limit makes the walk save its progress even if little is selected.
_READS_MAX = 5
_FIRST_REVIEW = EntityKey(Kind.REVIEW, "")


@dataclass
class Chunk:
    """Up to a thousand selected entries of one kind.

    `size` is the size of the entities in bytes, and `passed` the number of entries that were
    examined. `next` is the cursor of the next chunk; None at the end.
    """

    states: list[EntityState] = field(default_factory=list)
    deleted: list[Entry] = field(default_factory=list)
    size: int = 0
    passed: int = 0
    next: EntityKey | None = None

    def __len__(self) -> int:
        return len(self.states) + len(self.deleted)

    @property
    def is_full(self) -> bool:
        """Whether the chunk may have no room for another entity."""
        return len(self) == _CHUNK or self.size > _CHUNK_BYTES - ENTITY_BYTES_MAX


class Selection:
    """Selects the entries that a site is owed.

    `since` (RFC 3339) also selects entries that were recorded since then, unless they have an
    outcome from `started_at` (epoch milliseconds) or later.
    """

    def __init__(
        self, record: RecordStore, linked: LinkedSite, since: str | None, started_at: int
    ) -> None:
        self._record = record
        self._linked = linked
        self._since = moment_of(since) if since else None
        self._started_at = started_at

    def chunk(self, after: EntityKey | None) -> Chunk:
        """The next chunk after this key; None for the first.

        Each chunk holds one kind, because a request to Jira does. Raises Unavailable, or an AWS
        error.
        """
        kind = after.kind if after else Kind.INCIDENT
        chunk = Chunk()
        for _ in range(_READS_MAX):
            page = self._record.page(
                self._linked.workspace_id,
                after,
                _CHUNK - len(chunk),
                kind,
                _CHUNK_BYTES - chunk.size,
            )
            self._select(chunk, page.entries)
            chunk.passed += len(page.entries)
            if page.next is None:
                chunk.next = _FIRST_REVIEW if kind is Kind.INCIDENT else None
                return chunk
            after = chunk.next = page.next
            if chunk.is_full:
                return chunk
        return chunk

    def _select(self, chunk: Chunk, entries: Sequence[Entry]) -> None:
        keys = [entry.key for entry in entries]
        workspace_id, tenant_id = self._linked.workspace_id, self._linked.tenant.id
        outcomes = self._record.outcomes_of(workspace_id, tenant_id, keys)
        for entry in entries:
            outcome = outcomes.get(entry.key)
            state = entry.state
            if state and self._is_selected(entry, outcome):
                chunk.states.append(state)
                chunk.size += entry.size
            elif state is None and self._is_owed(entry, outcome):
                chunk.deleted.append(entry)

    def _is_selected(self, entry: Entry, outcome: Outcome | None) -> bool:
        if self._is_owed(entry, outcome):
            return True
        if self._since is None or moment_of(entry.recorded_at) < self._since:
            return False
        return outcome is None or moment_of(outcome.at).timestamp() * 1000 < self._started_at

    def _is_owed(self, entry: Entry, outcome: Outcome | None) -> bool:
        return state_of(entry, outcome, self._linked.generation) is OutcomeState.OWED
