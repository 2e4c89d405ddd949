"""Containers that Relay makes of the services that sources name.

Such a container has the attribute `serviceChangedAt`: when the event was that named the service, in
microseconds. A container that the operations tool puts replaces the item, and with it the
attribute: from then on it is the tool's.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from relay import keys
from relay.catalog.containers import (
    Container,
    container_item,
    container_of,
    index_keys,
    index_rows,
    normalized,
)
from relay.entities.service import KnownService
from relay.sources.moments import date_time
from relay.table import Item, Table, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Each character of a name may be a row of the index. More at once would hold up the delivery.
_CHARACTERS_MAX = 5_000
_CHANGED_AT = "serviceChangedAt"


class ServiceStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def keep(self, workspace_id: str, services: Sequence[KnownService]) -> list[str]:
        """Make or rename the containers of services with different ids; returns the ids of those
        that have changed. Repeating is safe.

        A container of the operations tool's own stays as it is. What is too much to index at once
        is left to the next event that names the service.
        """
        pk = keys.containers(workspace_id)
        found = self._table.get_all([(pk, service.id) for service in services])
        known = {item["sk"]: item for item in found}
        changed: list[str] = []
        characters = 0
        for service in services:
            before = known.get(service.id)
            if not _is_news(service, before):
                continue
            characters += len(normalized(service.name))
            if characters > _CHARACTERS_MAX:
                break
            if self._write(workspace_id, service, before):
                changed.append(service.id)
        return changed

    def _write(self, workspace_id: str, service: KnownService, before: Item | None) -> bool:
        """False if someone has put the container, or a newer event changed it, meanwhile."""
        container = Container.model_construct(
            id=service.id,
            name=service.name,
            url=service.url,
            lastUpdatedDate=date_time(service.changed_at),
        )
        # First, so that the index never misses a container. A search ignores a row too many.
        self._table.write_all(puts=index_rows(workspace_id, container))
        item = container_item(workspace_id, container) | {_CHANGED_AT: service.changed_at}
        try:
            self._dynamodb.put_item(
                TableName=self._table.name,
                Item=to_item(item),
                ConditionExpression=f"attribute_not_exists(pk) OR {_CHANGED_AT} < :changedAt",
                ExpressionAttributeValues=to_item({":changedAt": service.changed_at}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        if before:
            old = index_keys(workspace_id, [container_of(before)])
            self._table.write_all(deletes=old - index_keys(workspace_id, [container]))
            self._restore(workspace_id, service.id)
        return True

    def _restore(self, workspace_id: str, service_id: str) -> None:
        """Someone may have put the container with its old name before the old rows were deleted."""
        found = self._table.get_all([(keys.containers(workspace_id), service_id)])
        rows = [row for item in found for row in index_rows(workspace_id, container_of(item))]
        self._table.write_all(puts=rows)


def _is_news(service: KnownService, item: Item | None) -> bool:
    if item is None:
        return True
    is_same = (item["name"], item["url"]) == (service.name, service.url)
    return not is_same and item.get(_CHANGED_AT, service.changed_at) < service.changed_at
