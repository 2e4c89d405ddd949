"""Large tables, filled past Relay: as its own code would have written them, but by the thousand."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import httpx

from infra.bench.sample import incident_id, states
from infra.bench.stand import Place, Stand

# What the index of a container looks like is the catalogue's own to say.
from relay.catalog.containers import Container, _index, _item
from relay.record.store import RecordStore
from relay.table import to_item

_REAL = 1000
_PER_REQUEST = 5000
_TARGET = "DynamoDB_20120810.BatchWriteItem"


def fill_record(stand: Stand, place: Place, count: int) -> None:
    """So many incidents in the record of the place's workspace, in sequence 1."""
    environment, dynamodb = stand.stage.environment, stand.stage.dynamodb
    table = environment["RECORD_TABLE"]
    RecordStore(dynamodb, table).put_newest(place.workspace_id, states(min(count, _REAL)))
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"entity#{place.workspace_id}"}},
    )
    written = [json.dumps(item) for page in pages for item in page["Items"]]
    more = (
        written[number % _REAL].replace(incident_id(number % _REAL), incident_id(number))
        for number in range(_REAL, count)
    )
    _put(stand, table, more)


def fill_catalogue(stand: Stand, place: Place, count: int) -> None:
    """So many containers, `svc-00000` and on, with the index that finds them."""
    rows = (row for container in _containers(count) for row in _rows(place, container))
    _put(stand, stand.stage.environment["CATALOG_TABLE"], rows)


def container_name(number: int) -> str:
    return f"svc-{number:05}"


def _containers(count: int) -> Iterator[Container]:
    for number in range(count):
        yield Container(
            id=f"c{number}",
            name=container_name(number),
            url="https://ops.example.com/services",
            lastUpdatedDate=f"2026-01-{number % 28 + 1:02}T09:30:00Z",
        )


def _rows(place: Place, container: Container) -> Iterator[str]:
    yield json.dumps(to_item(_item(place.workspace_id, container)))
    for row in _index(place.workspace_id, container):
        yield json.dumps({name: {"S": value} for name, value in row.items()})


def _put(stand: Stand, table: str, items: Iterable[str]) -> None:
    """Each item as DynamoDB's JSON."""
    endpoint = stand.stage.environment["AWS_ENDPOINT_URL_DYNAMODB"]
    left: Iterator[str] = iter(items)
    with httpx.Client(timeout=60, trust_env=False) as http:
        while chunk := list(islice(left, _PER_REQUEST)):
            puts = ",".join(f'{{"PutRequest":{{"Item":{item}}}}}' for item in chunk)
            body = f'{{"RequestItems":{{"{table}":[{puts}]}}}}'
            headers: dict[str, Any] = {"X-Amz-Target": _TARGET}
            http.post(endpoint, content=body, headers=headers).raise_for_status()
