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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from relay import keys
from relay.entities.workspace_ids import WorkspaceIds
from relay.table import Item, Table, from_item, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The attribute that only an erasure's item has: its run.
ERASING = "erasing"
# A call that had read the workspace before its erasure began has accepted what it takes by then: a
# function of the API has half a minute. The erasure itself takes longer (see
# `provider.erasure_stages`), so nothing that is accepted after it is dropped.
_LAST_CALLS_MS = 60_000
# Seconds. A message is 14 days in its queue, as many as a dead letter, and once more after a
# redrive.
_NOTE_SECONDS = 60 * 86_400
# A message arrives when another machine's clock says that the erasure is due.
_CLOCKS_DIFFER_MS = 1000
_NOT_ERASING = f"attribute_not_exists({ERASING})"


class ErasureStage(StrEnum):
    """The stages of an erasure, in their order. A site's are `wait`, `deliveries`, `pointers`."""

    UNLINK = "unlink"
    WAIT = "wait"
    SITES = "sites"
    ENTITIES = "entities"
    DELIVERIES = "deliveries"
    SOURCES = "sources"
    CATALOG = "catalog"
    POINTERS = "pointers"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ErasedSite:
    """A site that the workspace was linked to when its erasure began, and its ids there."""

    tenant_id: str
    ids: WorkspaceIds


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of a workspace or a site, under way or done; `subject` is a workspace's id, or as
    `keys.site_subject` has it.

    `run` identifies it. It may continue at `due`; `reason` says why it waits for a site. `deleted`
    counts the items deleted from the tables so far. A long stage continues at `cursor`.
    """

    subject: str
    run: str
    stage: ErasureStage
    started_at: int
    updated_at: int
    due: int
    deleted: int = 0
    sites: tuple[ErasedSite, ...] = ()
    cursor: tuple[str, ...] = ()
    reason: str = ""


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
        return self.begin(fresh, [{"Delete": unlisted}])

    def begin(self, erasure: Erasure, also: Sequence[Any]) -> Erasure:
        """Save a new erasure, with these actions in one transaction; the one that is under way, if
        there is one. Raises an AWS error if one of the actions has a condition that fails."""
        puts: list[Any] = [
            {"Item": to_item(_item(erasure)), "ConditionExpression": _NOT_ERASING},
            {"Item": key(keys.ERASURES, erasure.subject)},
            {"Item": to_item(_note(erasure))},
        ]
        actions: list[Any] = [{"Put": {"TableName": self._table.name, **put}} for put in puts]
        actions += also
        try:
            self._dynamodb.transact_write_items(TransactItems=actions)
        except self._dynamodb.exceptions.TransactionCanceledException:
            known = self.get(erasure.subject)
            if known is None:
                raise
            return known
        return erasure

    def get(self, subject: str) -> Erasure | None:
        """The erasure that is under way; None if there is none."""
        item = self._table.get(*keys.erasure(subject))
        return _erasure(subject, item) if item and ERASING in item else None

    def last(self, subject: str) -> Erasure | None:
        """The erasure that is under way, or the last one that is done, of the last two months."""
        under_way = self.get(subject)
        note = None if under_way else self._table.get(*keys.erased(subject))
        if note is None or "endedAt" not in note:
            return under_way
        ended = int(note["endedAt"])
        return Erasure(
            subject,
            "",
            ErasureStage.DONE,
            int(note["startedAt"]),
            ended,
            ended,
            int(note["deleted"]),
        )

    def due(self, now: int) -> list[str]:
        """The subjects of the erasures that can continue, and that no worker holds."""
        listed = (item["sk"] for item in self._table.query(keys.ERASURES))
        places = {keys.erasure(one): one for one in listed}
        found = self._table.get_all(list(places))
        return [
            places[item["pk"], item["sk"]]
            for item in found
            if ERASING in item and item["due"] <= now and item["leased"] <= now
        ]

    def erased_until(self, workspace_ids: Iterable[str]) -> Mapping[str, int]:
        """For those of these workspaces that are or were erased: what was accepted until this time
        is of the erased one."""
        by_place = {keys.erased(one): one for one in workspace_ids}
        found = self._table.get_all(list(by_place), ("pk", "sk", "until"))
        return {by_place[item["pk"], item["sk"]]: int(item["until"]) for item in found}

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
        return _erasure(subject, from_item(response["Attributes"]))

    def save(self, erasure: Erasure, leased: int) -> bool:
        """Save the progress, leased until `leased`; False if the erasure has ended meanwhile."""
        try:
            self._dynamodb.put_item(
                TableName=self._table.name,
                Item=to_item(_item(erasure, leased)),
                ConditionExpression="erasing = :run",
                ExpressionAttributeValues=to_item({":run": erasure.run}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def end(self, erasure: Erasure, now: int) -> None:
        """Delete the erasure, the last item of the workspace, and note that it is done."""
        table = self._table.name
        ended = {"endedAt": now, "deleted": erasure.deleted, "expires": now // 1000 + _NOTE_SECONDS}
        last = keys.erasure(erasure.subject), (keys.ERASURES, erasure.subject)
        actions: list[Any] = [{"Delete": {"TableName": table, "Key": key(*one)}} for one in last]
        actions.append({"Put": {"TableName": table, "Item": to_item(_note(erasure) | ended)}})
        self._dynamodb.transact_write_items(TransactItems=actions)


def _note(erasure: Erasure) -> Item:
    pk, sk = keys.erased(erasure.subject)
    started = erasure.started_at
    return {"pk": pk, "sk": sk, "startedAt": started, "until": started + _LAST_CALLS_MS}


def _item(erasure: Erasure, leased: int = 0) -> Item:
    pk, sk = keys.erasure(erasure.subject)
    return {
        "pk": pk,
        "sk": sk,
        ERASING: erasure.run,
        "stage": erasure.stage.value,
        "startedAt": erasure.started_at,
        "updatedAt": erasure.updated_at,
        "due": erasure.due,
        "leased": leased,
        "deleted": erasure.deleted,
        "sites": [[one.tenant_id, one.ids.key, one.ids.plain] for one in erasure.sites],
        "cursor": list(erasure.cursor),
        "reason": erasure.reason,
    }


def _erasure(subject: str, item: Item) -> Erasure:
    return Erasure(
        subject,
        item[ERASING],
        ErasureStage(item["stage"]),
        int(item["startedAt"]),
        int(item["updatedAt"]),
        int(item["due"]),
        int(item["deleted"]),
        _sites(item["sites"]),
        tuple(item["cursor"]),
        item["reason"],
    )


def _sites(found: Sequence[Any]) -> tuple[ErasedSite, ...]:
    return tuple(ErasedSite(tenant, WorkspaceIds(key, plain)) for tenant, key, plain in found)
