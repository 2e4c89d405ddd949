"""A search reads as many items of a large catalogue as of a small one."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from relay.catalog.containers import Container, ContainerStore
from tests.integration.relay_stage import Relay, Start
from tests.support.aws import Aws
from tests.support.lifecycle import ACME

SMALL, LARGE = 200, 2000
# A whole name, a common prefix, an unknown part, and an empty query.
QUERIES = ["s0042", "s", "x", ""]
# What a call reads besides its results: the tenant and the site's one link.
BESIDE = 2
# An index row and the container for each of at most 50 results, in pages of a hundred rows.
READ_MAX = BESIDE + 100 + 100


@dataclass
class ReadCounter:
    """How many items DynamoDB has returned and scanned so far."""

    items: int = 0

    def watch(self, client: Any) -> None:
        client.meta.events.register("after-call.dynamodb", self.count)

    def count(self, parsed: dict[str, Any], **_: Any) -> None:
        self.items += parsed.get("ScannedCount", 0)
        self.items += "Item" in parsed
        self.items += sum(len(found) for found in parsed.get("Responses", {}).values())


@pytest.fixture
def relay(start: Start) -> Relay:
    relay = start()
    tenant = relay.install(ACME)
    relay.links.link(tenant.id, "payments")
    # A function reads the tenant's id for a clientKey only once.
    assert relay.jira(ACME, "GET", "/containers/search?searchQuery=x").status == 200
    return relay


def put(aws: Aws, numbers: range) -> None:
    store = ContainerStore(aws.dynamodb, aws.environment["CATALOG_TABLE"])
    containers = [
        Container(
            id=f"c{number}",
            name=f"S{number:04}",
            url="https://ops.example.com/services",
            lastUpdatedDate=f"2026-01-{number % 28 + 1:02}T09:30:00Z",
        )
        for number in numbers
    ]
    store.put_all("payments", containers)


def items_read(relay: Relay) -> dict[str, tuple[int, int]]:
    """For each query: the number of items read and of containers found."""
    counter = ReadCounter()
    counter.watch(relay.gateway.functions["search_containers"].parts.dynamodb)
    found: dict[str, tuple[int, int]] = {}
    for query in QUERIES:
        before = counter.items
        answer = relay.jira(ACME, "GET", f"/containers/search?searchQuery={quote(query)}")
        found[query] = (counter.items - before, len(answer.json()["containers"]))
    return found


def test_a_search_reads_no_more_of_a_larger_catalogue(relay: Relay, aws: Aws) -> None:
    put(aws, range(SMALL))
    small = items_read(relay)
    put(aws, range(SMALL, LARGE))
    large = items_read(relay)
    assert large == small
    assert max(read for read, _ in large.values()) <= READ_MAX
    assert {query: count for query, (_, count) in large.items()} == {
        "s0042": 1,
        "s": 50,
        "x": 0,
        "": 50,
    }
    # An index row and the container.
    assert large["s0042"][0] == BESIDE + 2
