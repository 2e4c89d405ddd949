"""API keys of the operations tool: `relay_<keyId>_<secret>`.

The table keeps a hash of the secret under `pk` = keyId. The secret is 256 random bits, so a plain
SHA-256 can't be searched for it.
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
_NOBODYS_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; `workspaces` is None for a key to all of them."""

    id: str
    name: str
    workspaces: frozenset[str] | None
    created_at: str


class ApiKeys:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def issue(self, workspaces: Iterable[str] | None = None, name: str = "") -> str:
        """Make a key for these workspaces, or for all; it can't be read again afterwards."""
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
        """The next keys after the one of this id, "" for the first, in the table's own order."""
        start: Any = {"ExclusiveStartKey": to_item({"pk": after})} if after else {}
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, PaginationConfig={"MaxItems": limit, "PageSize": limit}, **start
        )
        return [_key(from_item(item)) for page in pages for item in page["Items"]]

    def revoke(self, key_id: str) -> None:
        """From the next call on the key is unknown; revoking it twice is fine."""
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
    """`Authorization: Bearer <key>`."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def verify(self, request: Request) -> ProviderCaller:
        """The caller. Raises Unauthenticated, Unavailable, or an AWS error."""
        return self.verify_and_read(request, {})[0]

    def verify_and_read(
        self, request: Request, also: Mapping[str, Key]
    ) -> tuple[ProviderCaller, dict[str, Item]]:
        """The caller, and the items of these keys, by table, read in the same call to DynamoDB.

        Raises as `verify`.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        match = _KEY.fullmatch(key.strip()) if scheme.lower() == "bearer" else None
        if match is None:
            raise Unauthenticated("no API key")
        key_id, secret = match.groups()
        found = self._read(key_id, also)
        values = found.pop(self._table, {})
        known_hash = values.get("hash", _NOBODYS_HASH)
        if not hmac.compare_digest(known_hash.encode(), _hash(secret).encode()):
            raise Unauthenticated("the API key is unknown")
        return ProviderCaller(key_id, _key(values).workspaces), found

    def _read(self, key_id: str, also: Mapping[str, Key]) -> dict[str, Item]:
        own = to_item({"pk": key_id})
        if not also:
            answer = self._dynamodb.get_item(TableName=self._table, Key=own, ConsistentRead=True)
            return {self._table: from_item(answer.get("Item", {}))}
        others = {table: [item_key(*place)] for table, place in also.items()}
        return dict(get_batch(self._dynamodb, {self._table: [own], **others}))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
