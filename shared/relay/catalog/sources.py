"""A workspace's sources: the webhooks of operations tools that it takes incidents from.

A source's address holds 256 random bits. Only their hash is stored, in an item that names the
source, and in the source itself: an address whose hash the source no longer has is no address.
"""

import hashlib
import secrets as random_bits
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from relay import keys
from relay.errors import NotFound, Unavailable
from relay.secrets import EncryptedSecret, Secrets
from relay.sources.document import SourceDocument, check_document
from relay.sources.settings import SourceSettings
from relay.table import Item, Table, from_item, key, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DeliveryState = Literal["taken", "ignored", "refused"]
_ADDRESS_BYTES = 32
# At a source that others make or delete at the same moment.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """The last call of a source's webhook: an RFC 3339 date-time, and what became of it."""

    at: str
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class Source:
    """`counts` are the calls of its webhook by their state; `created_at` is an RFC 3339
    date-time."""

    workspace_id: str
    id: str
    kind: str
    settings: SourceSettings
    created_at: str
    counts: Mapping[str, int]
    last: LastDelivery | None
    secret: EncryptedSecret | None = field(default=None, repr=False)
    address_hash: str = field(default="", repr=False)

    @property
    def owner(self) -> dict[str, str]:
        """The owner of its secret."""
        return _owner(self.workspace_id, self.id)


class SourceStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, secrets: Secrets) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)
        self._secrets = secrets

    def put(
        self, workspace_id: str, source_id: str, document: SourceDocument
    ) -> tuple[Source, str | None]:
        """Save the source, and return it with its address if it is new.

        Of two calls that make the same source at once, one gets the address. Raises BadRequest for
        a document that is invalid, also beside the stored one.
        """
        address = _new_address()
        for _ in range(_ATTEMPTS):
            known = self._find(workspace_id, source_id)
            check_document(document, known.kind if known else None, bool(known and known.secret))
            if not known:
                self._save_address(workspace_id, source_id, address)
            source = self._saved(workspace_id, source_id, document, known, address)
            if source:
                return source, address if source.address_hash == _hash(address) else None
        raise Unavailable("The source was changed at the same time; try again.")

    def _saved(
        self,
        workspace_id: str,
        source_id: str,
        document: SourceDocument,
        known: Source | None,
        address: str,
    ) -> Source | None:
        """The source as it is now; None if it was made or deleted since it was `known`."""
        values = {
            "kind": document.kind,
            "settings": document.settings.model_dump_json(exclude_none=True),
            **self._encrypted(workspace_id, source_id, document.secret),
        }
        created_at = known.created_at if known else datetime.now(UTC).isoformat()
        values["createdAt"] = created_at
        if not known:
            values["addressHash"] = _hash(address)
        try:
            response = self._dynamodb.update_item(
                TableName=self._table.name,
                Key=key(*keys.source(workspace_id, source_id)),
                UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in values)}",
                ConditionExpression=(
                    "#createdAt = :createdAt" if known else "attribute_not_exists(pk)"
                ),
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues=to_item(
                    {f":{name}": one for name, one in values.items()}
                ),
                ReturnValues="ALL_NEW",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return _source(from_item(response["Attributes"]))

    def renew_address(self, workspace_id: str, source_id: str) -> str:
        """A new address, in place of the source's old one. Raises NotFound."""
        address = _new_address()
        known = self.get(workspace_id, source_id)
        self._save_address(workspace_id, source_id, address)
        try:
            self._dynamodb.update_item(
                TableName=self._table.name,
                Key=key(*keys.source(workspace_id, source_id)),
                UpdateExpression="SET addressHash = :hash",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=to_item({":hash": _hash(address)}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            raise _unknown(source_id) from None
        self._table.write_all(deletes=[keys.source_address(known.address_hash)])
        return address

    def get(self, workspace_id: str, source_id: str) -> Source:
        """The source. Raises NotFound."""
        source = self._find(workspace_id, source_id)
        if source is None:
            raise _unknown(source_id)
        return source

    def page(self, workspace_id: str, after: str, limit: int) -> list[Source]:
        """At most `limit` sources after the id `after`, in the order of their ids."""
        pk, prefix = keys.sources(workspace_id)
        start = f"{prefix}{after}" if after else ""
        return [_source(item) for item in self._table.query(pk, prefix, after=start, limit=limit)]

    def at(self, address: str) -> Source:
        """The source at this address. Raises NotFound."""
        address_hash = _hash(address)
        place = self._table.get(*keys.source_address(address_hash))
        source = self._find(place["workspaceId"], place["sourceId"]) if place else None
        if source is None or source.address_hash != address_hash:
            raise NotFound("There is no source at this address.", code="unknown_source")
        return source

    def secret_of(self, source: Source) -> str | None:
        """The secret with which its tool signs; None if it has none."""
        return self._secrets.decrypt(source.owner, source.secret) if source.secret else None

    def delete(self, workspace_id: str, source_id: str) -> None:
        """Delete the source, if it exists; its address is refused from now on."""
        source = self._find(workspace_id, source_id)
        if source:
            self._table.write_all(
                deletes=[
                    keys.source(workspace_id, source_id),
                    keys.source_address(source.address_hash),
                    keys.refusing_source(workspace_id, source_id),
                ]
            )

    def _find(self, workspace_id: str, source_id: str) -> Source | None:
        item = self._table.get(*keys.source(workspace_id, source_id))
        return _source(item) if item else None

    def _save_address(self, workspace_id: str, source_id: str, address: str) -> None:
        pk, sk = keys.source_address(_hash(address))
        place = {"workspaceId": workspace_id, "sourceId": source_id}
        self._table.put({"pk": pk, "sk": sk} | place)

    def _encrypted(self, workspace_id: str, source_id: str, secret: str | None) -> dict[str, Any]:
        if secret is None:
            return {}
        encrypted = self._secrets.encrypt(_owner(workspace_id, source_id), secret)
        return {"secret": encrypted.ciphertext, "secretKey": encrypted.data_key}


def _owner(workspace_id: str, source_id: str) -> dict[str, str]:
    return {"workspaceId": workspace_id, "sourceId": source_id}


def _new_address() -> str:
    return random_bits.token_urlsafe(_ADDRESS_BYTES)


def _hash(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


def _unknown(source_id: str) -> NotFound:
    return NotFound(f"There is no source {source_id!r}.", code="unknown_source")


def _source(item: Item) -> Source:
    secret = EncryptedSecret(item["secret"], item["secretKey"]) if "secret" in item else None
    return Source(
        keys.workspace_id_of(item["pk"]),
        keys.source_id_of(item["sk"]),
        item["kind"],
        SourceSettings.model_validate_json(item["settings"]),
        item["createdAt"],
        {name: int(item.get(name, 0)) for name in get_args(DeliveryState)},
        LastDelivery(item["lastAt"], item["lastState"]) if "lastAt" in item else None,
        secret,
        item["addressHash"],
    )
