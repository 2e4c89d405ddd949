"""Entities of the largest size: read and delivered by bytes, each once, and none left out."""

import json
from typing import Any

import pytest

from relay.delivery.protocol import BATCH_BYTES_MAX
from relay.entities.model import EntityKey, EntityState, Kind
from relay.entities.submission import ENTITY_BYTES_MAX
from relay.record.store import RecordStore
from tests.integration.catching_up_stage import (
    DOWN,
    ask,
    debts,
    forget_calls,
    lose,
    progress,
    put_link,
    sent,
    sequences,
    states,
)
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident
from tests.support.quick_transactions import quick_transactions

LARGE_BYTES = 345_000
# As many as one request to Jira holds.
PER_REQUEST = BATCH_BYTES_MAX // LARGE_BYTES
COUNT = 2 * PER_REQUEST + 3
IDS = {f"large-{number:02}" for number in range(COUNT)}


def large(entity_id: str, sequence: int = 1) -> dict[str, Any]:
    """An entity of nearly the maximum size, in four-byte characters."""
    values = [f"{number:03}" + "\U0001f525" * 252 for number in range(339)]
    associations = [{"associationType": "issueIdOrKeys", "values": values}]
    return incident(entity_id, sequence, associations=associations)


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    relay = start("payments", simulator=simulator)
    functions = relay.gateway.functions
    quick_transactions(*(functions[name].parts.dynamodb for name in ("submitter", "replayer")))
    return relay


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    site = install_from(relay, simulator)
    put_link(relay, site)
    relay.run_replays()
    forget_calls(site)
    return site


def submit(relay: Relay, *incidents: dict[str, Any]) -> None:
    """Submit in submissions of the maximum size."""
    for start in range(0, len(incidents), 11):
        content = {"incidents": incidents[start : start + 11]}
        # Not escaped, which would be six bytes.
        body = json.dumps(content, ensure_ascii=False).encode()
        answer = relay.provider("POST", "/v1/workspaces/payments/submissions", body)
        assert answer.status == 202, answer.body
        assert answer.json()["rejected"] == 0, answer.body
    assert relay.run_queue() == []


def bytes_read(relay: Relay) -> list[int]:
    """The sizes of what the functions read from DynamoDB from now on."""
    sizes: list[int] = []

    def see(http_response: Any, **_: Any) -> None:
        sizes.append(len(http_response.content))

    for name in ("entities", "submitter"):
        events = relay.gateway.functions[name].parts.dynamodb.meta.events
        for operation in ("Query", "BatchGetItem"):
            events.register(f"after-call.dynamodb.{operation}", see)
    return sizes


def test_the_entities_are_close_to_the_largest_allowed() -> None:
    size = len(EntityState(Kind.INCIDENT, large("large-00")).as_json)
    assert LARGE_BYTES - 1000 < size <= LARGE_BYTES < ENTITY_BYTES_MAX


def test_a_walk_delivers_all_of_them_in_full_requests(relay: Relay, site: JiraSite) -> None:
    submit(relay, *map(large, sorted(IDS)))
    lose(site)
    ask(relay, site, what="all")

    relay.run_replays()

    assert sent(site) == [(PER_REQUEST, 0), (PER_REQUEST, 0), (3, 0)]
    assert sequences(site).keys() == IDS
    shown = progress(relay, site)
    assert (shown["state"], shown["done"], shown["total"]) == ("done", COUNT, COUNT)


def test_debts_are_paid_in_pages_bounded_by_bytes(relay: Relay, site: JiraSite) -> None:
    site.simulator.fail(site.name, DOWN)
    submit(relay, *map(large, sorted(IDS)))
    assert debts(relay, site) == COUNT
    site.simulator.fail(site.name)
    relay.let_time_pass()

    relay.run_replays()

    assert sequences(site).keys() == IDS
    assert debts(relay, site) == 0
    assert progress(relay, site)["state"] == "done"


def test_only_the_needed_attributes_are_read(relay: Relay, site: JiraSite) -> None:
    """A list, a deletion by properties and one by id need no entity."""
    submit(relay, large("large-00"), large("large-01"))

    read = bytes_read(relay)

    assert states(relay) == {"large-00": "accepted", "large-01": "accepted"}
    answer = relay.provider("DELETE", "/v1/workspaces/payments/entities?team=nobody")
    assert (answer.status, answer.json()) == (202, {"deleted": 0})
    relay.provider("DELETE", "/v1/workspaces/payments/incidents/large-00")
    assert relay.run_queue() == []

    assert sequences(site).keys() == {"large-01"}
    assert 0 < max(read) < 100_000


@pytest.mark.parametrize("bytes_max", [1, LARGE_BYTES, 3 * LARGE_BYTES, 100 * LARGE_BYTES])
def test_pages_of_any_size_visit_the_record_once(
    relay: Relay, site: JiraSite, bytes_max: int
) -> None:
    del site
    mixed = {f"i-{number:02}": number % 3 == 0 for number in range(9)}
    submit(relay, *(large(one) if is_large else incident(one) for one, is_large in mixed.items()))
    record = RecordStore(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])

    seen: list[str] = []
    after: EntityKey | None = None
    while True:
        page = record.page("payments", after, 4, Kind.INCIDENT, bytes_max)
        assert len(page.entries) == 1 or sum(one.size for one in page.entries) <= bytes_max
        seen += [entry.key.id for entry in page.entries]
        if page.next is None:
            break
        after = page.next

    assert sorted(seen) == sorted(mixed)
