"""The replay of each link, in the tenants' table.

| pk | sk | holds |
|---|---|---|
| `tenant#<id>` | `replay#<workspaceId>` | the link's replay, running or done |

An item outlives its link, because `resets` must never decrease. Times are epoch milliseconds.
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
# A message arrives when another machine's clock says that the replay is due.
_CLOCKS_DIFFER_MS = 1000
# The delay after a worker that saved nothing; doubled with each such worker, up to an hour.
_FIRST_DELAY_MS = 60_000
_LAST_DELAY_MS = 3_600_000


class ReplayStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def get(self, tenant_id: str, workspace_id: str) -> Replay | None:
        """The link's replay; None if there was none yet."""
        item = self._table.get(*keys.replay(tenant_id, workspace_id))
        return _replay(item) if item else None

    def of_workspaces(self, tenant_id: str, workspace_ids: Iterable[str]) -> list[Replay]:
        """The existing replays of these workspaces at the site, in the order of their ids."""
        wanted = [keys.replay(tenant_id, workspace_id) for workspace_id in workspace_ids]
        found = map(_replay, self._table.get_all(wanted))
        return sorted(found, key=lambda replay: replay.workspace_id)

    def of_tenant(self, tenant_id: str, after: str = "", limit: int = 0) -> Iterator[Replay]:
        """The site's replays in the order of their workspaces' ids.

        `after` is the workspace id after which to start, and `limit` the most replays; 0 is all.
        """
        pk, prefix = keys.replays(tenant_id)
        start = prefix + after if after else ""
        return map(_replay, self._table.query(pk, prefix, after=start, limit=limit))

    def start(self, fresh: Replay, installs: int) -> Replay:
        """Replace the link's replay by `fresh`; a worker of the replaced one can save nothing more.

        Returns the replay as it is stored. `fresh.resets` is a lower bound for the resets so far;
        the scope `all` adds one, unless this is the link's first replay. The first stage is no
        later than the current stage of the replaced one. `installs` are the tenant's. Raises
        Unavailable if other calls keep changing the replay.
        """
        for _ in range(_ATTEMPTS):
            known = self.get(fresh.tenant_id, fresh.workspace_id)
            before = max(known.resets if known else 0, fresh.resets)
            resets = before + (known is not None and fresh.scope is ReplayScope.ALL)
            stage = _first_stage(fresh, known, installs)
            started = replace(
                fresh, resets=resets, walked_generation=generation_at(installs, resets), stage=stage
            )
            if self._replace(known, started):
                return started
        raise Unavailable("The replay could not be started; try again.")

    def owe(self, fresh: Replay) -> bool:
        """Notify the running replay of new debts, or start `fresh`; True if `fresh` was started.

        Raises Unavailable if other calls keep changing the replay.
        """
        for _ in range(_ATTEMPTS):
            if self._notified(fresh):
                return False
            if self._started(fresh):
                return True
        raise Unavailable("The replay could not be started; try again.")

    def lease(self, replay: Replay, now: int, lease_ms: int) -> Replay | None:
        """Lease the replay for `lease_ms`; None if it is done, not due, or leased.

        A worker that is cut off, such as one out of memory, can't report that. So the time of the
        next attempt is saved before the work starts. It grows with each worker that saves nothing.
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
            response = self._dynamodb.update_item(
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
        # The caller saves this: progress resets the delay and the attempts.
        leased = _replay(from_item(response["Attributes"]))
        return replace(leased, due=replay.due, attempts=0)

    def continue_now(self, replay: Replay, now: int) -> bool:
        """Make the replay due at `now`; False if it is done."""
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
        """Save the replay's progress; False if another run has replaced it."""
        return self._save(replay, "run = :run", {":run": replay.run})

    def end(self, replay: Replay, now: int) -> bool:
        """Mark the replay as done; False if it was replaced, or owes more since it was read."""
        done = replace(replay, stage=Stage.DONE, updated_at=now, ended_at=now, leased=0)
        return self._save(
            done, "run = :run AND owed = :owed", {":run": replay.run, ":owed": replay.owed}
        )

    def _save(self, replay: Replay, condition: str, values: dict[str, Any]) -> bool:
        saved = {
            name: value
            for name, value in attributes_of(replay).items()
            # Other callers write these.
            if name not in ("owed", "run", "resets")
        }
        names = {f"#{number}": name for number, name in enumerate(saved)}
        sets = [f"#{number} = :v{number}" for number in range(len(saved))]
        given = {f":v{number}": value for number, value in enumerate(saved.values())}
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

    def _notified(self, fresh: Replay) -> bool:
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
        """Start `fresh` unless a replay runs. Keep the resets and the last walk's generation."""
        known = self.get(fresh.tenant_id, fresh.workspace_id)
        if known is None:
            return self._replace(None, fresh)
        if not known.is_done:
            return False
        return self._replace(
            known, replace(fresh, resets=known.resets, walked_generation=known.walked_generation)
        )

    def _replace(self, known: Replay | None, replay: Replay) -> bool:
        """Replace `known`; False if it has changed meanwhile, as `resets` must never decrease."""
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
    """A replay that replaces another must not skip the stage that links the workspace in Jira."""
    if known is None:
        return fresh.stage
    if is_behind(known, installs):
        return Stage.LINK
    stages = list(Stage)
    return min(fresh.stage, known.stage, key=stages.index)


def _cut_off(attempts: int) -> str:
    return f"The function was cut off {attempts} times in a row; see its log"


def _with_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB's JSON of all values: an update must write None, which `to_item` omits."""
    return {
        name: {"NULL": True} if value is None else to_item({name: value})[name]
        for name, value in values.items()
    }


def _key(replay: Replay) -> Any:
    return key(*keys.replay(replay.tenant_id, replay.workspace_id))


def _replay(item: Item) -> Replay:
    return replay_of(keys.tenant_id_of(item["pk"]), keys.workspace_id_of(item["sk"]), item)
