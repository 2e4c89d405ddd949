"""The replay of each link: how far its site is behind the record, and how far it has caught up.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `replay#<workspaceId>` | the one replay of this link, under way or done |

It outlives the link, as `resets` must never go back. Times are epoch milliseconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.errors import Unavailable
from relay.table import Item, Table, from_item, key, to_item
from relay.tenants.replay import (
    Replay,
    ReplayScope,
    Stage,
    attributes_of,
    generation_at,
    is_behind,
    replay_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ATTEMPTS = 5
# A hint comes at the time that another machine's clock named.
_CLOCKS_DIFFER_MS = 1000
# Until a replay may be taken once more whose workers kept nothing: doubled each time, to an hour.
_FIRST_DELAY_MS = 60_000
_LAST_DELAY_MS = 3_600_000


class ReplayStore:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def get(self, tenant_id: str, workspace_id: str) -> Replay | None:
        item = self._table.get(*keys.replay(tenant_id, workspace_id))
        return _replay(item) if item else None

    def of_workspaces(self, tenant_id: str, workspace_ids: Iterable[str]) -> list[Replay]:
        """Those that there are, in the order of their workspaces."""
        wanted = [keys.replay(tenant_id, workspace_id) for workspace_id in workspace_ids]
        found = map(_replay, self._table.get_all(wanted))
        return sorted(found, key=lambda replay: replay.workspace_id)

    def of_tenant(self, tenant_id: str, after: str = "", limit: int = 0) -> Iterator[Replay]:
        """In the order of their workspaces; `after` is one of these, `limit` 0 for all."""
        pk, prefix = keys.replays(tenant_id)
        start = prefix + after if after else ""
        return map(_replay, self._table.query(pk, prefix, after=start, limit=limit))

    def start(self, fresh: Replay, installs: int) -> Replay:
        """Take this one in place of the one that is there; its worker, if any, lets go of it.

        `installs` are the tenant's. One of `all` is a reset, unless nothing was sent before; of
        the resets of `fresh` there are at least so many. It begins no later than where the other
        one still was. Raises Unavailable.
        """
        for _ in range(_ATTEMPTS):
            known = self.get(fresh.tenant_id, fresh.workspace_id)
            before = max(known.resets if known else 0, fresh.resets)
            resets = before + (known is not None and fresh.scope is ReplayScope.ALL)
            stage = _first_stage(fresh, known, installs)
            begun = replace(
                fresh, resets=resets, generation=generation_at(installs, resets), stage=stage
            )
            if self._replace(known, begun):
                return begun
        raise Unavailable("A replay could not be begun; try again.")

    def owe(self, fresh: Replay) -> bool:
        """Have it noticed that more is owed; True where `fresh` was begun for it, as none ran.

        Raises Unavailable.
        """
        for _ in range(_ATTEMPTS):
            if self._noticed(fresh):
                return False
            if self._started(fresh):
                return True
        raise Unavailable("A replay could not be begun; try again.")

    def lease(self, replay: Replay, now: int, lease_ms: int) -> Replay | None:
        """Take it for a while; None where it is done, not due, or another worker's.

        A worker that is cut off, as one that is out of memory, says nothing. So the time after
        which another one may try is noted before the work, and grows with each that kept nothing.
        """
        values = {
            ":until": now + lease_ms,
            ":now": now,
            ":soon": now + _CLOCKS_DIFFER_MS,
            ":done": Stage.DONE.value,
            ":one": 1,
        }
        sets = "leased = :until"
        if replay.attempts:
            values[":again"] = now + min(_FIRST_DELAY_MS << replay.attempts, _LAST_DELAY_MS)
            values[":reason"] = _cut_off(replay.attempts)
            sets += ", due = :again, reason = :reason"
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table.name,
                Key=_key(replay),
                UpdateExpression=f"SET {sets} ADD attempts :one",
                ConditionExpression=(
                    "attribute_exists(pk) AND stage <> :done AND due <= :soon AND leased <= :now"
                ),
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        # As it is once something of it is kept.
        taken = _replay(from_item(answer["Attributes"]))
        return replace(taken, due=replay.due, attempts=0)

    def continue_now(self, replay: Replay, now: int) -> bool:
        """Let it go on now; False where it is done."""
        try:
            self._dynamodb.update_item(
                TableName=self._table.name,
                Key=_key(replay),
                UpdateExpression="SET due = :now",
                ConditionExpression="attribute_exists(pk) AND stage <> :done",
                ExpressionAttributeValues=to_item({":now": now, ":done": Stage.DONE.value}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def save(self, replay: Replay) -> bool:
        """Keep how far it has come; False where another run has taken its place."""
        return self._save(replay, "run = :run", {":run": replay.run})

    def end(self, replay: Replay, now: int) -> bool:
        """Call it done, unless more was noted as owed since it was read."""
        done = replace(replay, stage=Stage.DONE, updated_at=now, ended_at=now, leased=0)
        return self._save(
            done, "run = :run AND owed = :owed", {":run": replay.run, ":owed": replay.owed}
        )

    def _save(self, replay: Replay, condition: str, values: dict[str, Any]) -> bool:
        kept = {
            name: value
            for name, value in attributes_of(replay).items()
            # Others count these, or choose them.
            if name not in ("owed", "run", "resets")
        }
        names = {f"#{number}": name for number, name in enumerate(kept)}
        sets = [f"#{number} = :v{number}" for number in range(len(kept))]
        given = {f":v{number}": value for number, value in enumerate(kept.values())}
        try:
            self._dynamodb.update_item(
                TableName=self._table.name,
                Key=_key(replay),
                UpdateExpression=f"SET {', '.join(sets)}",
                ConditionExpression=f"attribute_exists(pk) AND {condition}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=_with_nulls(given | values),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _noticed(self, fresh: Replay) -> bool:
        try:
            self._dynamodb.update_item(
                TableName=self._table.name,
                Key=_key(fresh),
                UpdateExpression="ADD owed :one",
                ConditionExpression="attribute_exists(pk) AND stage <> :done",
                ExpressionAttributeValues=to_item({":one": 1, ":done": Stage.DONE.value}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _started(self, fresh: Replay) -> bool:
        """Whatever was counted before stays: the resets, and the generation of the last walk."""
        known = self.get(fresh.tenant_id, fresh.workspace_id)
        if known is None:
            return self._replace(None, fresh)
        if not known.is_done:
            return False
        return self._replace(
            known, replace(fresh, resets=known.resets, generation=known.generation)
        )

    def _replace(self, known: Replay | None, replay: Replay) -> bool:
        """Put it where `known` is; False where that has changed: resets must never go back."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if known:
            condition = {
                "ConditionExpression": "run = :run AND stage = :stage",
                "ExpressionAttributeValues": to_item(
                    {":run": known.run, ":stage": known.stage.value}
                ),
            }
        try:
            item = _key(replay) | to_item(attributes_of(replay))
            self._dynamodb.put_item(TableName=self._table.name, Item=item, **condition)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _first_stage(fresh: Replay, known: Replay | None, installs: int) -> Stage:
    """A link that Jira has forgotten must not be left out by a replay that overtakes another."""
    if known is None:
        return fresh.stage
    if is_behind(known, installs):
        return Stage.LINK
    stages = list(Stage)
    return min(fresh.stage, known.stage, key=stages.index)


def _cut_off(attempts: int) -> str:
    return f"The function ended without an answer {attempts} times in a row; its log says why"


def _with_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """An update names every value, so that one which is gone must be written as such."""
    return {
        name: {"NULL": True} if value is None else to_item({name: value})[name]
        for name, value in values.items()
    }


def _key(replay: Replay) -> Any:
    return key(*keys.replay(replay.tenant_id, replay.workspace_id))


def _replay(item: Item) -> Replay:
    return replay_of(keys.tenant_id_of(item["pk"]), keys.workspace_id_of(item["sk"]), item)
