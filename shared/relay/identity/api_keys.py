"""API keys of the operations tool: `relay_<keyId>_<secret>`.

The table keeps a hash of the secret under `pk` = keyId. The secret is 256 random bits, so a plain
SHA-256 can't be searched for it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from relay.aws import from_item, to_item
from relay.errors import Unauthenticated
from relay.identity.caller import ProviderCaller, Request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = re.compile(r"relay_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODYS_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


def issue_key(
    dynamodb: "DynamoDBClient", table: str, workspaces: Iterable[str] | None = None
) -> str:
    """Make a key for these workspaces, or for all; it can't be read again afterwards."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    item = {
        "pk": key_id,
        "hash": _hash(secret),
        "workspaces": None if workspaces is None else sorted(workspaces),
        "createdAt": datetime.now(UTC).isoformat(),
    }
    dynamodb.put_item(TableName=table, Item=to_item(item))
    return f"relay_{key_id}_{secret}"


class ApiKeyVerifier:
    """`Authorization: Bearer <key>`."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def verify(self, request: Request) -> ProviderCaller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        match = _KEY.fullmatch(key.strip()) if scheme.lower() == "bearer" else None
        if match is None:
            raise Unauthenticated("no API key")
        key_id, secret = match.groups()
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"pk": key_id}), ConsistentRead=True
        )
        values = from_item(answer["Item"]) if "Item" in answer else {}
        known_hash = values.get("hash", _NOBODYS_HASH)
        if not hmac.compare_digest(known_hash.encode(), _hash(secret).encode()):
            raise Unauthenticated("the API key is unknown")
        workspaces = values.get("workspaces")
        return ProviderCaller(key_id, None if workspaces is None else frozenset(workspaces))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
