"""API keys of the operations tool: `relay_<keyId>_<secret>`.

The table stores a hash of the secret under `pk` = keyId. A plain SHA-256 is enough: the secret has
256 random bits, so it can't be found by brute force.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from relay.errors import Unauthenticated
from relay.identity.caller import ProviderCaller, Request
from relay.keys import Key
from relay.table import Item, from_item, get_batch, to_item
from relay.table import key as item_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = re.compile(r"relay_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
# An unknown key is compared with this hash, so that it takes as long as a known one.
_UNMATCHED_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `workspaces` is None if it is valid for all of them.

    `created_at` is RFC 3339.
    """

    id: str
    name: str
    workspaces: frozenset[str] | None
    created_at: str


class ApiKeys:
    """Issues, lists, changes and revokes API keys. Every method raises AWS errors."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def issue(self, workspaces: Iterable[str] | None = None, name: str = "") -> str:
        """Issue a key for these workspaces, or for all if None, and return it.

        The key can't be read again afterwards.
        """
        key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        item = {
            "pk": key_id,
            "name": name,
            "hash": _hash(secret),
            "workspaces": None if workspaces is None else sorted(workspaces),
            "createdAt": datetime.now(UTC).isoformat(),
        }
        self._dynamodb.put_item(TableName=self._table, Item=to_item(item))
        return f"relay_{key_id}_{secret}"

    def page(self, after: str, limit: int) -> list[ApiKey]:
        """Up to `limit` keys after the one with this id, in the table's order; "" for the first."""
        start: Any = {"ExclusiveStartKey": to_item({"pk": after})} if after else {}
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, PaginationConfig={"MaxItems": limit, "PageSize": limit}, **start
        )
        return [_key(from_item(item)) for page in pages for item in page["Items"]]

    def forget(self, workspace_id: str) -> int:
        """Revoke the keys for this workspace alone, and remove it from keys for several; returns
        the number of these keys.

        Reads all keys, again until it finds none: another erasure may change a key meanwhile.
        """
        changed = 0
        while found := self._of_workspace(workspace_id):
            for values in found:
                others = [one for one in values["workspaces"] if one != workspace_id]
                changed += self._limited_to(values, others)
        return changed

    def _of_workspace(self, workspace_id: str) -> list[Item]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="contains(workspaces, :workspace)",
            ExpressionAttributeValues=to_item({":workspace": workspace_id}),
        )
        return [from_item(item) for page in pages for item in page["Items"]]

    def _limited_to(self, known: Item, workspaces: list[str]) -> bool:
        """Limit the key to these workspaces, or revoke it if there are none; False if its
        workspaces have changed since it was read."""
        request: Any = {
            "TableName": self._table,
            "Key": to_item({"pk": known["pk"]}),
            "ConditionExpression": "workspaces = :before",
        }
        values = {":before": known["workspaces"]}
        try:
            if workspaces:
                self._dynamodb.update_item(
                    **request,
                    UpdateExpression="SET workspaces = :limited",
                    ExpressionAttributeValues=to_item(values | {":limited": workspaces}),
                )
            else:
                self._dynamodb.delete_item(**request, ExpressionAttributeValues=to_item(values))
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def revoke(self, key_id: str) -> None:
        """Remove the key. It is refused from the next call on. Revoking twice is allowed."""
        self._dynamodb.delete_item(TableName=self._table, Key=to_item({"pk": key_id}))


def _key(values: dict[str, Any]) -> ApiKey:
    workspaces = values.get("workspaces")
    return ApiKey(
        id=values["pk"],
        name=values["name"],
        workspaces=None if workspaces is None else frozenset(workspaces),
        created_at=values["createdAt"],
    )


class ApiKeyVerifier:
    """Verifies `Authorization: Bearer <key>`."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def verify(self, request: Request) -> ProviderCaller:
        """The key's id and workspaces. Raises Unauthenticated, Unavailable, or an AWS error."""
        return self.verify_and_read(request, {})[0]

    def verify_and_read(
        self, request: Request, also: Mapping[str, Key]
    ) -> tuple[ProviderCaller, dict[str, Item]]:
        """The caller, and by table the items with these keys, read in the same call to DynamoDB.

        Raises the errors of `verify`.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        match = _KEY.fullmatch(key.strip()) if scheme.lower() == "bearer" else None
        if match is None:
            raise Unauthenticated("no API key")
        key_id, secret = match.groups()
        found = self._read(key_id, also)
        values = found.pop(self._table, {})
        known_hash = values.get("hash", _UNMATCHED_HASH)
        if not hmac.compare_digest(known_hash.encode(), _hash(secret).encode()):
            raise Unauthenticated("the API key is unknown")
        return ProviderCaller(key_id, _key(values).workspaces), found

    def _read(self, key_id: str, also: Mapping[str, Key]) -> dict[str, Item]:
        own = to_item({"pk": key_id})
        if not also:
            answer = self._dynamodb.get_item(TableName=self._table, Key=own, ConsistentRead=True)
            return {self._table: from_item(answer.get("Item", {}))}
        others = {table: [item_key(*key)] for table, key in also.items()}
        return dict(get_batch(self._dynamodb, {self._table: [own], **others}))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
