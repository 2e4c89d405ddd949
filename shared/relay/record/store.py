"""The record's table.

| pk | sk | holds |
|---|---|---|
| `entity#<workspaceId>` | `inc#<id>` or `rev#<id>` | the newest state of the entity |
| `outcome#<workspaceId>#<tenantId>` | the same | what became of it at that site |

Both are in the order of `sk`, so that walking the two side by side shows what a site is owed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pydantic_core

from relay.entities import EntityKey, EntityState, Kind
from relay.record.newest_wins import put_newest
from relay.record.outcomes import Outcome, OutcomeState
from relay.table import Item, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OUTCOME_BYTES = 1000
# So short that an id of 255 characters of four bytes stays within the 1,024 bytes of a sort key.
_PREFIXES = {Kind.INCIDENT: "inc", Kind.REVIEW: "rev"}
_KINDS = {prefix: kind for kind, prefix in _PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Recorded:
    """How the record took the states: written; of the same sequence as the recorded state, which
    stands here; older than the recorded one."""

    new: tuple[EntityState, ...]
    same: tuple[EntityState, ...]
    outdated: tuple[EntityState, ...]


class RecordStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def put_newest(
        self, workspace_id: str, states: Sequence[EntityState], correlation_id: str
    ) -> Recorded:
        """Record each state that is newer than the recorded one; one state per entity.

        Raises Unavailable, or an AWS error, with part of the states recorded; repeating is safe.
        """
        by_sk = {_sk(state.key): state for state in states}
        items = [
            {
                "pk": f"entity#{workspace_id}",
                "sk": sk,
                "seq": state.sequence,
                "entity": state.as_json.decode(),
                "properties": dict(state.properties) or None,
                "correlationId": correlation_id,
                "recordedAt": datetime.now(UTC).isoformat(),
            }
            for sk, state in by_sk.items()
        ]
        refused = put_newest(self._dynamodb, self._table.name, items, "seq < :seq", _entity_bytes)
        # Of two states with one sequence, the recorded one is the one to go by from here on.
        same = [_state(there) for item, there in refused if there["seq"] == item["seq"]]
        outdated = [by_sk[item["sk"]] for item, there in refused if there["seq"] != item["seq"]]
        kept_back = {state.key for state in same + outdated}
        new = [state for state in states if state.key not in kept_back]
        return Recorded(tuple(new), tuple(same), tuple(outdated))

    def entities(self, workspace_id: str) -> Iterator[EntityState]:
        """Every recorded entity of a workspace, in the order of its key."""
        return map(_state, self._table.query(f"entity#{workspace_id}"))

    def save_outcomes(self, workspace_id: str, tenant_id: str, outcomes: Iterable[Outcome]) -> None:
        """Keep what became of each entity; an outcome of an older state never replaces a newer."""
        items = [
            {
                "pk": f"outcome#{workspace_id}#{tenant_id}",
                "sk": _sk(outcome.key),
                "seq": outcome.sequence,
                "state": outcome.state.value,
                "messages": list(outcome.messages) or None,
                "unknownProjectKeys": list(outcome.unknown_project_keys) or None,
                "at": datetime.now(UTC).isoformat(),
            }
            for outcome in outcomes
            if outcome.state is not OutcomeState.OWED
        ]
        put_newest(self._dynamodb, self._table.name, items, "seq <= :seq", _outcome_bytes)

    def outcomes(self, workspace_id: str, tenant_id: str) -> Iterator[Outcome]:
        """Every outcome of a workspace at a site, in the order of its key."""
        return map(_outcome, self._table.query(f"outcome#{workspace_id}#{tenant_id}"))

    def outcomes_of(
        self, workspace_id: str, tenant_id: str, keys: Sequence[EntityKey]
    ) -> dict[EntityKey, Outcome]:
        """The outcomes of these entities at a site, where there are any."""
        pk = f"outcome#{workspace_id}#{tenant_id}"
        items = self._table.get_all([(pk, _sk(key)) for key in keys])
        outcomes = map(_outcome, items)
        return {outcome.key: outcome for outcome in outcomes}


def _sk(key: EntityKey) -> str:
    return f"{_PREFIXES[key.kind]}#{key.id}"


def _key(sk: str) -> EntityKey:
    prefix, _, entity_id = sk.partition("#")
    return EntityKey(_KINDS[prefix], entity_id)


def _entity_bytes(item: Item) -> int:
    return len(item["entity"].encode())


def _outcome_bytes(item: Item) -> int:
    return _OUTCOME_BYTES + sum(len(message.encode()) for message in item["messages"] or ())


def _state(item: Item) -> EntityState:
    entity = pydantic_core.from_json(item["entity"])
    return EntityState(_key(item["sk"]).kind, entity, item.get("properties", {}))


def _outcome(item: Item) -> Outcome:
    return Outcome(
        key=_key(item["sk"]),
        sequence=int(item["seq"]),
        state=OutcomeState(item["state"]),
        messages=tuple(item.get("messages", ())),
        unknown_project_keys=tuple(item.get("unknownProjectKeys", ())),
    )
