"""Fills large tables with Relay's own stores."""

from infra.bench.sample import states
from infra.bench.stand import Place, Stand
from relay.catalog.containers import Container, ContainerStore
from relay.record.store import RecordStore

_CHUNK = 1000


def fill_record(stand: Stand, place: Place, count: int) -> None:
    """Records this many incidents of the place's workspace, with sequence 1."""
    record = RecordStore(stand.stage.dynamodb, stand.stage.environment["RECORD_TABLE"])
    for first in range(0, count, _CHUNK):
        chunk = states(min(_CHUNK, count - first), first=first)
        record.put_newest(place["workspace_id"], chunk)


def fill_catalog(stand: Stand, place: Place, count: int) -> None:
    """Writes this many containers of the workspace, from `svc-00000` on, with their index."""
    catalog = ContainerStore(stand.stage.dynamodb, stand.stage.environment["CATALOG_TABLE"])
    for first in range(0, count, _CHUNK):
        numbers = range(first, min(first + _CHUNK, count))
        catalog.put_all(place["workspace_id"], [_container(number) for number in numbers])


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
