"""Containers that Relay makes of sources' services, beside those that people put."""

import pytest

from tests.integration.relay_stage import Relay, Start
from tests.support.aws_calls import AwsCalls, client_error

WORKSPACE = "/v1/workspaces/payments"
SOURCE = f"{WORKSPACE}/sources/own"
CONTAINER = f"{WORKSPACE}/containers/custom-1"
MAPPING = {
    "id": "'incident'",
    "lastUpdated": "at",
    "status": "'open'",
    "summary": "'Trouble'",
    "affectedComponents": "services",
}
# A character that the index holds as eighteen.
LIGATURE = "\ufdfa"


@pytest.fixture
def relay(start: Start) -> Relay:
    relay = start("payments")
    document = {"kind": "custom", "settings": {"mapping": MAPPING}}
    assert relay.provider("PUT", SOURCE, document).status == 200
    return relay


def named(relay: Relay, minute: int, *names: str) -> None:
    """Queue an incident that affects services with these names, and the ids 1, 2, …"""
    services = [{"id": str(number), "name": name} for number, name in enumerate(names, 1)]
    event = {"at": f"2026-04-09T10:{minute:02}:00Z", "services": services}
    assert relay.provider("POST", f"{SOURCE}/events", event).status == 202


def put(relay: Relay, name: str) -> None:
    document = {
        "name": name,
        "url": "https://ops.example.com/own",
        "lastUpdatedDate": "2026-01-01T00:00:00Z",
    }
    assert relay.provider("PUT", CONTAINER, document).status == 200


def found(relay: Relay, query: str = "") -> list[str]:
    path = f"{WORKSPACE}/containers" + (f"?query={query}" if query else "")
    containers = relay.provider("GET", path).json()["containers"]
    return [one["name"] for one in containers]


def test_a_person_who_puts_the_old_name_while_it_is_replaced_finds_it(
    relay: Relay, calls: AwsCalls
) -> None:
    named(relay, 10, "Checkout")
    relay.run_queue()
    named(relay, 11, "Till")

    def put_before_old_rows_are_deleted(operation: str) -> None:
        if operation == "BatchWriteItem" and "DeleteRequest" in str(calls.parameters[-1]):
            calls.no_more_trouble()
            put(relay, "Checkout")

    calls.before = put_before_old_rows_are_deleted
    relay.run_queue()

    assert found(relay, "checkout") == ["Checkout"]
    assert found(relay, "till") == []


def test_a_person_who_puts_the_container_while_it_is_renamed_keeps_it(
    relay: Relay, calls: AwsCalls
) -> None:
    named(relay, 10, "Checkout")
    relay.run_queue()
    named(relay, 11, "Till")

    def put_before_it_is_renamed(operation: str) -> None:
        if operation == "PutItem" and "container#" in str(calls.parameters[-1]):
            calls.no_more_trouble()
            put(relay, "Our own")

    calls.before = put_before_it_is_renamed
    relay.run_queue()

    assert relay.provider("GET", CONTAINER).json()["name"] == "Our own"
    assert (found(relay, "own"), found(relay, "till")) == (["Our own"], [])


def test_what_is_cut_off_anywhere_ends_the_same_when_it_is_repeated(
    relay: Relay, calls: AwsCalls
) -> None:
    named(relay, 10, "Checkout")
    relay.run_queue()
    for at in range(40):
        named(relay, 11 + at, f"Till {at}")
        [body] = relay.waiting()
        begun = len(calls.names)
        calls.fail(client_error("InternalServerError"), at=at)
        returned = relay.run_again([body])
        calls.no_more_trouble()
        assert relay.run_again(returned) == []
        if len(calls.names) - begun <= at:
            break
    else:
        pytest.fail("There is no end of calls")

    assert at > 5
    assert found(relay) == found(relay, "till") == [f"Till {at}"]


def test_what_a_name_adds_to_the_index_is_counted_not_its_characters(
    relay: Relay, calls: AwsCalls
) -> None:
    named(relay, 10, *(f"{number} {LIGATURE * 200}" for number in range(10)))
    before = len(calls.given("BatchWriteItem"))

    assert relay.run_queue() == []

    assert len(calls.given("BatchWriteItem")) - before < 300
    # The next event that names them makes the others.
    made = found(relay)
    assert 0 < len(made) < 10
    named(relay, 11, *(f"{number} {LIGATURE * 200}" for number in range(10)))
    relay.run_queue()
    assert len(found(relay)) > len(made)
