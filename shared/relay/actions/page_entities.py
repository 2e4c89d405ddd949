"""The entities of a linked workspace that a site was not given, or has refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from relay.delivery.sites import LinkedSite
from relay.entities.model import EntityKey
from relay.provider.tracking import EntityAtSite, EntityTracker
from relay.record.entry import Entry, Head
from relay.record.outcomes import OutcomeState
from relay.record.store import RecordStore

Unsettled = Literal["owed", "refused"]
_CHUNK = 100
# The most entries that are examined for a page, so a page may be short or empty without being last.
_EXAMINED_MAX = 2000
# Bytes of entities that are read for a page.
_BYTES_MAX = 10_000_000


@dataclass(frozen=True, slots=True)
class UnsettledEntity:
    """An entity and its state at the site; `url` is None, and `summary` empty, if it was deleted.

    It does not hold the entity, which may have 350 KB.
    """

    key: EntityKey
    summary: str
    url: str | None
    at_site: EntityAtSite


@dataclass(frozen=True, slots=True)
class UnsettledPage:
    """`next` is the key after which the next page begins; None at the end."""

    entities: list[UnsettledEntity]
    next: EntityKey | None


class PageEntities:
    """Lists entities by their state at one site. Every method raises TABLE_ERRORS."""

    def __init__(self, record: RecordStore, tracker: EntityTracker) -> None:
        self._record = record
        self._tracker = tracker

    def page(
        self,
        linked: LinkedSite,
        state: Unsettled,
        query: str,
        after: EntityKey | None,
        limit: int,
    ) -> UnsettledPage:
        """At most `limit` entities in this state after the key `after`, in the record's order.

        `query` narrows them down to those with it in their id or summary, in any case of letters. A
        page may hold fewer without being the last.
        """
        found: list[UnsettledEntity] = []
        left = _BYTES_MAX
        for _ in range(_EXAMINED_MAX // _CHUNK):
            heads = list(self._record.heads(linked.workspace_id, after, _CHUNK))
            for entity, size in self._in_state(linked, heads, state):
                left -= size
                if _matches(entity, query):
                    found.append(entity)
                if len(found) == limit or left <= 0:
                    return UnsettledPage(found, entity.key)
            if len(heads) < _CHUNK:
                return UnsettledPage(found, None)
            after = heads[-1].key
        return UnsettledPage(found, after)

    def _in_state(
        self, linked: LinkedSite, heads: Sequence[Head], state: Unsettled
    ) -> Iterator[tuple[UnsettledEntity, int]]:
        """The entities in the state, in the record's order, each with its size in bytes."""
        at_site = {
            head.key: one
            for head, one in zip(heads, self._tracker.at_site(linked, heads), strict=True)
            if is_in(one, state)
        }
        wanted = list(at_site)
        while wanted:
            entries, looked_up = self._record.first_of(linked.workspace_id, wanted, _BYTES_MAX)
            by_key = {entry.key: entry for entry in entries}
            for key in wanted[:looked_up]:
                if key in by_key:
                    yield _entity(by_key[key], at_site[key]), by_key[key].size
            wanted = wanted[looked_up:]


def is_in(one: EntityAtSite, state: Unsettled) -> bool:
    """Whether the entity is in this state at the site."""
    if state == "owed":
        return one.state is OutcomeState.OWED
    return one.state is not OutcomeState.OWED and bool(one.outcome and one.outcome.is_refusal)


def _entity(entry: Entry, at_site: EntityAtSite) -> UnsettledEntity:
    content = entry.entity or {}
    return UnsettledEntity(entry.key, content.get("summary", ""), content.get("url"), at_site)


def _matches(entity: UnsettledEntity, query: str) -> bool:
    part = query.casefold()
    return part in entity.key.id.casefold() or part in entity.summary.casefold()
