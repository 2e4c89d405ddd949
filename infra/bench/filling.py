"""Fills large tables with Relay's own stores, or with items like theirs."""

from collections.abc import Iterator
from itertools import chain, islice

import httpx
from pydantic_core import to_json

from infra.bench.sample import incident_id, known_incidents, states
from infra.bench.stand import Place, Stand
from relay import keys
from relay.catalog.containers import Container, container_item, index_rows
from relay.entities.model import EntityKey, Kind
from relay.record.store import RecordStore
from relay.table import key, to_item

_CHUNK = 1000
_ROWS = 10_000

# pk, sk, and the item in DynamoDB's JSON.
Row = tuple[str, str, str]


def fill_record(stand: Stand, place: Place, count: int) -> None:
    """Records this many incidents of the place's workspace, with sequence 1."""
    record = RecordStore(stand.stage.dynamodb, stand.stage.environment["RECORD_TABLE"])
    for first in range(0, count, _CHUNK):
        chunk = states(min(_CHUNK, count - first), first=first)
        record.put_newest(place["workspace_id"], chunk)


def fill_large_record(stand: Stand, place: Place, count: int) -> None:
    """The same, as fast as the tables can: Relay records the first incidents, and the others are
    copies of their items with ids of their own."""
    table = stand.stage.environment["RECORD_TABLE"]
    first = min(count, known_incidents())
    fill_record(stand, place, first)
    shards = keys.entities(place["workspace_id"])
    known = [_stored(stand, shards, number) for number in range(first)]

    def row(number: int) -> Row:
        like, id_ = number % first, incident_id(number)
        pk, sk = shards.key_of(EntityKey(Kind.INCIDENT, id_))
        like_pk, item = known[like]
        return pk, sk, item.replace(like_pk, pk).replace(incident_id(like), id_)

    _fill(stand, table, map(row, range(first, count)))


def _fill(stand: Stand, table: str, rows: Iterator[Row]) -> None:
    url = stand.stage.environment["AWS_ENDPOINT_URL_DYNAMODB"]
    headers = {"X-Amz-Target": "Tables.Fill"}
    with httpx.Client(trust_env=False, timeout=60) as http:
        while some := list(islice(rows, _ROWS)):
            body = to_json({"TableName": table, "Rows": some})
            http.post(url, content=body, headers=headers).raise_for_status()


def _stored(stand: Stand, shards: keys.Shards, number: int) -> tuple[str, str]:
    """The pk of an incident, and its item in DynamoDB's JSON."""
    pk, sk = shards.key_of(EntityKey(Kind.INCIDENT, incident_id(number)))
    found = stand.stage.dynamodb.get_item(
        TableName=stand.stage.environment["RECORD_TABLE"], Key=key(pk, sk)
    )
    return pk, to_json(found["Item"]).decode()


def fill_catalog(stand: Stand, place: Place, count: int) -> None:
    """Writes this many containers of the workspace, from `svc-00000` on, with their index, as fast
    as the tables can."""
    table, workspace_id = stand.stage.environment["CATALOG_TABLE"], place["workspace_id"]
    containers = [_container(number) for number in range(count)]
    indexed = (row for one in containers for row in index_rows(workspace_id, one))
    items = chain(indexed, (container_item(workspace_id, one) for one in containers))
    rows = ((one["pk"], one["sk"], to_json(to_item(one)).decode()) for one in items)
    _fill(stand, table, rows)


def container_name(number: int) -> str:
    """`svc-00000`, with five digits."""
    return f"svc-{number:05}"


def _container(number: int) -> Container:
    return Container(
        id=f"c{number}",
        name=container_name(number),
        url="https://ops.example.com/services",
        lastUpdatedDate=f"2026-01-{number % 28 + 1:02}T09:30:00Z",
    )
