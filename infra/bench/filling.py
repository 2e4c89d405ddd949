"""Fills large tables by Relay's own stores."""

from infra.bench.sample import states
from infra.bench.stand import Place, Stand
from relay.catalog.containers import Container, ContainerStore
from relay.record.store import RecordStore

_AT_ONCE = 1000


def fill_record(stand: Stand, place: Place, count: int) -> None:
    """This many incidents in the record of the place's workspace, in sequence 1."""
    record = RecordStore(stand.stage.dynamodb, stand.stage.environment["RECORD_TABLE"])
    for first in range(0, count, _AT_ONCE):
        chunk = states(min(_AT_ONCE, count - first), first=first)
        record.put_newest(place["workspace_id"], chunk)


def fill_catalogue(stand: Stand, place: Place, count: int) -> None:
    """This many containers, `svc-00000` and on, with their index."""
    catalog = ContainerStore(stand.stage.dynamodb, stand.stage.environment["CATALOG_TABLE"])
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count))
        catalog.put_all(place["workspace_id"], [_container(number) for number in numbers])


def container_name(number: int) -> str:
    return f"svc-{number:05}"


def _container(number: int) -> Container:
    return Container(
        id=f"c{number}",
        name=container_name(number),
        url="https://ops.example.com/services",
        lastUpdatedDate=f"2026-01-{number % 28 + 1:02}T09:30:00Z",
    )
