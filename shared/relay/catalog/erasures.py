"""Erasures of workspaces and sites: what is left to do, while it is done, and when it was done.

| pk | sk | holds |
|---|---|---|
| `workspace#<workspaceId>` | `workspace` | the erasure, in place of the workspace |
| `site#<tenantId>` | `erasure` | the erasure of a site |
| `erasures` | `<subject>` | the list of erasures under way; no other attributes |
| `erased#<hash>` | `erasure` | since when this subject is erased, without its id |

The item of the workspace itself becomes the erasure's, so that every read of the workspace sees it.
Messages may outlive the workspace in a queue. The note by the id's hash lets none of them restore
anything; it expires when no queue can hold one any more. Times are epoch milliseconds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from relay import keys
from relay.catalog.erasure import (
    ERASING,
    Erasure,
    ErasureStage,
    erasure_of,
    item_of,
    site_values,
    sites_of,
)
from relay.entities.workspace_ids import WorkspaceIds
from relay.errors import Unavailable
from relay.table import Item, Table, from_item, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A call that read the workspace just before its erasure may accept a submission up to half a minute
# later, the time limit of the API's functions. The erasure itself takes longer (see
# `provider.erasure_stages`), so nothing that is accepted after the erasure is dropped.
_LAST_CALLS_MS = 60_000
# Seconds. A message may be 14 days in its queue, 14 days a dead letter, and both again after a
# redrive.
_NOTE_SECONDS = 60 * 86_400
# A message arrives when another machine's clock says that the erasure is due.
_CLOCKS_DIFFER_MS = 1000
_NOT_ERASING = f"attribute_not_exists({ERASING})"


class ErasureStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def start(self, workspace_id: str, now: int) -> Erasure:
        """Begin the erasure, whether the workspace exists or was deleted; the one that is under
        way, if there is one. From now on every call about the workspace is refused."""
        fresh = Erasure(workspace_id, uuid4().hex, ErasureStage.UNLINK, now, now, now)
        unlisted = {"TableName": self._table.name, "Key": key(keys.WORKSPACES, workspace_id)}
        if self.begin([fresh], [{"Delete": unlisted}]):
            return fresh
        known = self.get(workspace_id)
        if known is None:
            raise Unavailable("The erasure could not be started; try again.")
        return known

    def begin(self, erasures: Iterable[Erasure], also: Sequence[Any]) -> bool:
        """Save new erasures, with these actions in one transaction; False if one is under way, or
        if a condition of the actions fails."""
        puts: list[Any] = []
        for erasure in erasures:
            puts += [
                {"Item": to_item(item_of(erasure)), "ConditionExpression": _NOT_ERASING},
                {"Item": key(keys.ERASURES, erasure.subject)},
                {"Item": to_item(_note(erasure))},
            ]
        actions: list[Any] = [{"Put": {"TableName": self._table.name, **put}} for put in puts]
        try:
            self._dynamodb.transact_write_items(TransactItems=[*actions, *also])
        except self._dynamodb.exceptions.TransactionCanceledException:
            return False
        return True

    def get(self, subject: str) -> Erasure | None:
        """The erasure that is under way; None if there is none."""
        item = self._table.get(*keys.erasure(subject))
        return erasure_of(subject, item) if item and ERASING in item else None

    def last(self, subject: str) -> Erasure | None:
        """The erasure that is under way, or the last one that is done, of the last two months."""
        under_way = self.get(subject)
        note = None if under_way else self._table.get(*keys.erased(subject))
        if note is None or "endedAt" not in note:
            return under_way
        started, ended = int(note["startedAt"]), int(note["endedAt"])
        return Erasure(
            subject,
            "",
            ErasureStage.DONE,
            started,
            ended,
            ended,
            int(note["deleted"]),
            sites_of(note["unreached"]),
        )

    def due(self, now: int) -> list[str]:
        """The subjects of the erasures that can continue, and that no worker holds."""
        return [
            subject
            for subject, item in self._under_way()
            if item["due"] <= now and item["leased"] <= now
        ]

    def count(self, started_before: int) -> int:
        """How many erasures are under way that were started before this time."""
        return sum(item["startedAt"] < started_before for _, item in self._under_way())

    def _under_way(self) -> Iterator[tuple[str, Item]]:
        listed = (item["sk"] for item in self._table.query(keys.ERASURES))
        places = {keys.erasure(one): one for one in listed}
        for item in self._table.get_all(list(places)):
            if ERASING in item:
                yield places[item["pk"], item["sk"]], item

    def erased_until(self, workspace_ids: Iterable[str]) -> Mapping[str, int]:
        """For those of these workspaces that are or were erased: what was accepted until this time
        is of the erased one."""
        by_place = {keys.erased(one): one for one in workspace_ids}
        found = self._table.get_all(list(by_place), ("pk", "sk", "until"))
        return {by_place[item["pk"], item["sk"]]: int(item["until"]) for item in found}

    def is_erased(self, workspace_id: str, accepted_at: float) -> bool:
        """Whether what the workspace accepted at this time was erased with it."""
        return accepted_at <= self.erased_until([workspace_id]).get(workspace_id, -1)

    def lease(self, subject: str, now: int, lease_ms: int) -> Erasure | None:
        """Lease the erasure for `lease_ms`; None if there is none that is due and free."""
        values = {":until": now + lease_ms, ":now": now, ":soon": now + _CLOCKS_DIFFER_MS}
        try:
            response = self._dynamodb.update_item(
                TableName=self._table.name,
                Key=key(*keys.erasure(subject)),
                UpdateExpression="SET leased = :until",
                ConditionExpression=(
                    "attribute_exists(erasing) AND due <= :soon AND leased <= :now"
                ),
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return erasure_of(subject, from_item(response["Attributes"]))

    def save(self, erasure: Erasure, leased: int) -> bool:
        """Save the progress, leased until `leased`; False if the erasure has ended meanwhile."""
        try:
            self._dynamodb.put_item(
                TableName=self._table.name,
                Item=to_item(item_of(erasure, leased)),
                ConditionExpression="erasing = :run",
                ExpressionAttributeValues=to_item({":run": erasure.run}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def end(self, erasure: Erasure, now: int) -> None:
        """Delete the erasure, the last item of the workspace, and note that it is done. Does
        nothing if it has ended meanwhile."""
        ended = {
            "endedAt": now,
            "deleted": erasure.deleted,
            # Without the workspace's key there.
            "unreached": [
                site_values(replace(site, ids=WorkspaceIds(""))) for site in erasure.unreached
            ],
            "expires": now // 1000 + _NOTE_SECONDS,
        }
        own: Any = {
            "Key": key(*keys.erasure(erasure.subject)),
            "ConditionExpression": "erasing = :run",
            "ExpressionAttributeValues": to_item({":run": erasure.run}),
        }
        actions: list[Any] = [
            {"Delete": own},
            {"Delete": {"Key": key(keys.ERASURES, erasure.subject)}},
            {"Put": {"Item": to_item(_note(erasure) | ended)}},
        ]
        for action in actions:
            for request in action.values():
                request["TableName"] = self._table.name
        with suppress(self._dynamodb.exceptions.TransactionCanceledException):
            self._dynamodb.transact_write_items(TransactItems=actions)


def _note(erasure: Erasure) -> Item:
    pk, sk = keys.erased(erasure.subject)
    started = erasure.started_at
    return {"pk": pk, "sk": sk, "startedAt": started, "until": started + _LAST_CALLS_MS}
