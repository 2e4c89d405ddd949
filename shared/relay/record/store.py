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
from typing import TYPE_CHECKING, Any

import pydantic_core

from relay.aws import from_item, to_item
from relay.entities import EntityKey, EntityState, Kind
from relay.errors import Unavailable
from relay.record.newest_wins import Item, put_newest
from relay.record.outcomes import Outcome, OutcomeState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH_GET_MAX = 100
_BATCH_GET_ATTEMPTS = 8
_OUTCOME_BYTES = 1000
# So short that an id of 255 characters of four bytes stays within the 1,024 bytes of a sort key.
_PREFIXES = {Kind.INCIDENT: "inc", Kind.REVIEW: "rev"}
_KINDS = {prefix: kind for kind, prefix in _PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Recorded:
    """How the record took the states: written; the same already there; a newer one there."""

    new: tuple[EntityState, ...]
    same: tuple[EntityState, ...]
    outdated: tuple[EntityState, ...]


class RecordStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

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
        refused = put_newest(self._dynamodb, self._table, items, "seq < :seq", _entity_bytes)
        same = [by_sk[item["sk"]] for item, there in refused if there["seq"] == item["seq"]]
        outdated = [by_sk[item["sk"]] for item, there in refused if there["seq"] != item["seq"]]
        kept_back = {state.key for state in same + outdated}
        new = [state for state in states if state.key not in kept_back]
        return Recorded(tuple(new), tuple(same), tuple(outdated))

    def entities(self, workspace_id: str) -> Iterator[EntityState]:
        """Every recorded entity of a workspace, in the order of its key."""
        for item in self._query(f"entity#{workspace_id}"):
            entity = pydantic_core.from_json(item["entity"])
            yield EntityState(_key(item["sk"]).kind, entity, item.get("properties", {}))

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
        put_newest(self._dynamodb, self._table, items, "seq <= :seq", lambda _: _OUTCOME_BYTES)

    def outcomes(self, workspace_id: str, tenant_id: str) -> Iterator[Outcome]:
        """Every outcome of a workspace at a site, in the order of its key."""
        for item in self._query(f"outcome#{workspace_id}#{tenant_id}"):
            yield _outcome(item)

    def outcomes_of(
        self, workspace_id: str, tenant_id: str, keys: Sequence[EntityKey]
    ) -> dict[EntityKey, Outcome]:
        """The outcomes of these entities at a site, where there are any."""
        pk = f"outcome#{workspace_id}#{tenant_id}"
        found = {}
        for start in range(0, len(keys), _BATCH_GET_MAX):
            wanted = [to_item({"pk": pk, "sk": _sk(key)}) for key in keys[start:][:_BATCH_GET_MAX]]
            for item in self._batch_get(wanted):
                outcome = _outcome(item)
                found[outcome.key] = outcome
        return found

    def _batch_get(self, keys: list[Any]) -> Iterator[Item]:
        for _ in range(_BATCH_GET_ATTEMPTS):
            answer = self._dynamodb.batch_get_item(
                RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
            )
            yield from (from_item(item) for item in answer["Responses"].get(self._table, []))
            unprocessed = answer.get("UnprocessedKeys", {}).get(self._table)
            if not unprocessed:
                return
            keys = list(unprocessed["Keys"])
        raise Unavailable("The record could not be read; try again.")

    def _query(self, pk: str) -> Iterator[Item]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield from_item(item)


def _sk(key: EntityKey) -> str:
    return f"{_PREFIXES[key.kind]}#{key.id}"


def _key(sk: str) -> EntityKey:
    prefix, _, entity_id = sk.partition("#")
    return EntityKey(_KINDS[prefix], entity_id)


def _entity_bytes(item: Item) -> int:
    return len(item["entity"].encode())


def _outcome(item: Item) -> Outcome:
    return Outcome(
        key=_key(item["sk"]),
        sequence=int(item["seq"]),
        state=OutcomeState(item["state"]),
        messages=tuple(item.get("messages", ())),
        unknown_project_keys=tuple(item.get("unknownProjectKeys", ())),
    )
