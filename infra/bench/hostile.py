"""The inputs that need the most memory, at Relay's limits."""

import json
import string
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

from infra.bench.sample import incident_id
from relay.catalog.containers import NAMES_CHARACTERS_MAX
from relay.entities.document import DOCUMENT_BYTES_MAX, SUBMISSION_BYTES_MAX
from relay.entities.model import EntityState, Kind
from relay.queues.submissions import CONTENT_BYTES_MAX

Document = dict[str, Any]
Body = tuple[str, bytes]
Make = Callable[[int], Document]

# Each has 1,011 bytes, all nearly the limit of an entity.
_VALUES = 342
# The rest of a submission, without its entities.
_REST_BYTES = 50_000
_FIRE = "\U0001f525"


def largest(number: int) -> Document:
    """Nearly the largest incident, with characters of four bytes."""
    values = [f"{place:03}" + _FIRE * 252 for place in range(_VALUES)]
    associations = [{"associationType": "issueIdOrKeys", "values": values}]
    return smallest(number) | {"associations": associations}


def smallest(number: int) -> Document:
    """The smallest incident, of which a message can contain the most."""
    return {
        "schemaVersion": "1.0",
        "id": incident_id(number),
        "updateSequenceNumber": 1,
        "affectedComponents": ["a"],
        "summary": "",
        "description": "",
        "url": "http://a",
        "createdDate": "2026-01-31T09:30:00Z",
        "lastUpdated": "2026-01-31T09:30:00Z",
        "status": "open",
    }


INCIDENTS: dict[Make, str] = {largest: "the largest incidents", smallest: "the smallest incidents"}


def state_of(entity: Document) -> EntityState:
    """The entity as a state that the record accepts."""
    return EntityState(Kind.INCIDENT, entity, {}, 1, "bench")


def per_message(entity: Document) -> int:
    """How many such entities fit into one message and one submission."""
    return (CONTENT_BYTES_MAX - _REST_BYTES) // len(state_of(entity).as_json)


def submissions() -> Iterator[Body]:
    """Yields the description and body of each submission."""
    fields = ",".join(f'"{name}":0' for name in islice(_names(), SUBMISSION_BYTES_MAX // 9 - 9))
    yield "half a million unknown fields", b'{"incidents":[{"id":"i"}],%b}' % fields.encode()
    one = b'{"incidents":[{%b}]}'
    yield "half a million unknown fields of an incident", one % fields.encode()
    half = (r'"id":"\ud83d",' + fields)[: SUBMISSION_BYTES_MAX - 30].rpartition(",")[0]
    yield "the same, with half of a surrogate pair", one % half.encode()
    nested = (SUBMISSION_BYTES_MAX - 40) // 2
    yield "a value nested two million deep", one % (b'"id":' + b"[" * nested + b"]" * nested)
    count = SUBMISSION_BYTES_MAX // 3 - 10
    yield "over a million empty incidents", b'{"incidents":[%b]}' % b",".join([b"{}"] * count)
    yield "50,000 numbers for incidents", b'{"incidents":[%b]}' % b",".join([b"7"] * 50_000)
    for make, what in INCIDENTS.items():
        incidents = [make(number) for number in range(per_message(make(0)))]
        yield what, _json({"incidents": incidents})


def containers() -> Iterator[Body]:
    """Yields the description and body of each list of containers."""
    long = ["x" * 255] * 1000
    yield "1,000 names of 255 characters", _containers(long)
    # The index has a row per character, and each character has four bytes.
    letters = [chr(0x1F300 + number) for number in range(255)]
    names = ["".join(letters[n:] + letters[:n]) for n in range(NAMES_CHARACTERS_MAX // 255)]
    yield "the longest names within the limit", _containers(names)


def small_document() -> Body:
    """The description and body of a document with unknown fields only, at the limit."""
    names = islice(_names(), DOCUMENT_BYTES_MAX // 9 - 1)
    return "unknown fields alone", _json(dict.fromkeys(names, 0))


def _containers(names: list[str]) -> bytes:
    containers = [
        {
            "id": f"{number:04}" + "c" * 251,
            "name": name,
            "url": "https://ops.example.com/services",
            "lastUpdatedDate": "2026-01-31T09:30:00Z",
        }
        for number, name in enumerate(names)
    ]
    return _json({"containers": containers})


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _names() -> Iterator[str]:
    """Distinct names of four characters."""
    return map("".join, product(string.ascii_lowercase + string.digits, repeat=4))
