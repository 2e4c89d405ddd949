"""Containers as DevOps components: from the operations tool's call to every linked site."""

import random
import time
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest

import relay.replays.stages
from relay.queues.submissions import parse_message
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator, until
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident

WORKSPACE = "payments"
OTHER_WORKSPACE = "search"
COMPONENT_CALLS = "/rest/devopscomponents/1.0"


@pytest.fixture
def relay_that(start: Start, simulator: Simulator) -> Callable[[str], Relay]:
    return lambda switch: start(simulator=simulator, COMPONENTS_MODULE=switch)


@pytest.fixture
def relay_on(relay_that: Callable[[str], Relay]) -> Relay:
    relay = relay_that("on")
    for workspace in (WORKSPACE, OTHER_WORKSPACE):
        relay.put_workspace(workspace)
    return relay


@pytest.fixture
def relay_off(relay_that: Callable[[str], Relay]) -> Relay:
    relay = relay_that("off")
    relay.put_workspace(WORKSPACE)
    return relay


@pytest.fixture
def without_module(function: Callable[..., ModuleType], relay_on: Relay) -> Callable[[], None]:
    """Remove the module from the descriptor while the rest of Relay has it enabled."""

    def switch_off() -> None:
        relay_on.gateway.functions["descriptor"] = function("descriptor", COMPONENTS_MODULE="off")

    return switch_off


def container(container_id: str = "checkout-api", **fields: Any) -> dict[str, Any]:
    return {
        "id": container_id,
        "name": "Checkout API",
        "url": f"https://ops.example.com/services/{container_id}",
        "lastUpdatedDate": "2026-01-30T08:00:00Z",
    } | fields


def put(relay: Relay, *containers: dict[str, Any], workspace: str = WORKSPACE) -> None:
    url = f"/v1/workspaces/{workspace}/containers"
    answer = relay.provider("POST", url, {"containers": containers})
    assert (answer.status, answer.json()) == (200, {"put": len(containers)})


def delete(relay: Relay, container_id: str, workspace: str = WORKSPACE) -> None:
    url = f"/v1/workspaces/{workspace}/containers/{container_id}"
    assert relay.provider("DELETE", url).status == 204


def link(relay: Relay, site: JiraSite, workspace: str = WORKSPACE) -> None:
    url = f"/v1/sites/{site.id}/workspaces/{workspace}"
    assert relay.provider("PUT", url).status == 200


def linked_site(relay: Relay, simulator: Simulator, *workspaces: str) -> JiraSite:
    site = install_from(relay, simulator)
    for workspace in workspaces:
        link(relay, site, workspace)
    return site


def install_again(relay: Relay, site: JiraSite) -> None:
    """Reinstall, as an admin does to apply a changed descriptor."""
    began = int(time.time())
    # Two installs within one second would have the same token.
    until(lambda: time.time() >= began + 1)
    descriptor = {"descriptorUrl": f"{relay.gateway.url}/atlassian-connect.json"}
    site.simulator.control("POST", f"/sites/{site.name}/install", descriptor).raise_for_status()


def sent_components(site: JiraSite) -> list[int]:
    """The number of components in each submission to the site."""
    calls = site.simulator.calls(site.name)
    return [call["components"] for call in calls if call["operation"] == "submitComponents"]


def _is_past(milliseconds: int) -> bool:
    return time.time_ns() // 1_000_000 > milliseconds


def component_calls(site: JiraSite) -> list[str]:
    return [method for method, path in site.calls() if COMPONENT_CALLS in path]


# --- In Jira ---


def test_containers_are_delivered_to_every_linked_site_and_no_other(
    relay_on: Relay, simulator: Simulator
) -> None:
    first, second = (linked_site(relay_on, simulator, WORKSPACE) for _ in range(2))
    other = linked_site(relay_on, simulator, OTHER_WORKSPACE)
    described = container(
        "search",
        name="Search",
        avatarUrl="https://ops.example.com/search.png",
        description="Finds **things**.",
        tier="Tier 1",
        componentType="Data pipeline",
        lastUpdatedDate="2026-01-30T09:00:00.5+01:00",
    )

    put(relay_on, container(), described)

    assert relay_on.run_queue() == []
    plain = {
        "schemaVersion": "1.0",
        "id": "checkout-api",
        "name": "Checkout API",
        "description": "Checkout API",
        "url": "https://ops.example.com/services/checkout-api",
        "avatarUrl": f"{relay_on.gateway.url}/logo.svg",
        "tier": "Tier 4",
        "componentType": "Service",
        "lastUpdated": "2026-01-30T08:00:00.000+00:00",
    }
    full = {
        **plain,
        "id": "search",
        "name": "Search",
        "description": "Finds **things**.",
        "url": "https://ops.example.com/services/search",
        "avatarUrl": "https://ops.example.com/search.png",
        "tier": "Tier 1",
        "componentType": "Data pipeline",
        "lastUpdated": "2026-01-30T08:00:00.500+00:00",
    }
    before = int(time.time() * 1000)
    for site in (first, second):
        held = site.held("component")
        # The time of delivery, whatever the container's own date: every change counts.
        assert all(
            0 < component.pop("updateSequenceNumber") <= before for component in held.values()
        )
        assert held == {"checkout-api": plain, "search": full}
        assert sent_components(site) == [2]
    assert component_calls(other) == []


def test_an_incident_then_shows_the_name_of_what_it_affects(
    relay_on: Relay, simulator: Simulator
) -> None:
    site = linked_site(relay_on, simulator, WORKSPACE)
    assert relay_on.submit(WORKSPACE, incidents=[incident()]) == []
    page = site.site.base_url
    assert ">Checkout API</a>" not in simulator.http.get(page).text

    put(relay_on, container())
    assert relay_on.run_queue() == []

    assert ">Checkout API</a>" in simulator.http.get(page).text


def test_a_site_has_the_last_put_of_a_container_whatever_its_date(
    relay_on: Relay, simulator: Simulator
) -> None:
    site = linked_site(relay_on, simulator, WORKSPACE)
    document = container()
    url = f"/v1/workspaces/{WORKSPACE}/containers/{document.pop('id')}"
    for day, name in (("30", "Checkout"), ("31", "Checkout 2"), ("29", "Dated earlier")):
        changed = {"name": name, "lastUpdatedDate": f"2026-01-{day}T08:00:00Z"}
        assert relay_on.provider("PUT", url, document | changed).status == 200
        assert relay_on.run_queue() == []
        brought = site.held("component")["checkout-api"]
        assert brought["name"] == name
        # The sequence counts milliseconds: the next change must be in a later one.
        until(partial(_is_past, brought["updateSequenceNumber"]))


def test_a_new_link_delivers_all_of_the_workspaces_containers(
    relay_on: Relay, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(relay_on, *(container(f"c-{number}") for number in range(7)))
    put(relay_on, container("not-mine"), workspace=OTHER_WORKSPACE)
    assert relay_on.run_queue() == []
    # Full pages, and one that is not.
    monkeypatch.setattr(relay.replays.stages, "_COMPONENTS", 3)

    site = linked_site(relay_on, simulator, WORKSPACE)

    assert component_calls(site) == []
    relay_on.run_replays()
    assert sorted(site.held("component")) == [f"c-{number}" for number in range(7)]
    assert sent_components(site) == [3, 3, 1]


def test_a_link_to_a_workspace_without_containers_delivers_nothing(
    relay_on: Relay, simulator: Simulator
) -> None:
    site = linked_site(relay_on, simulator, WORKSPACE)
    relay_on.run_replays()
    assert component_calls(site) == []


def test_the_largest_containers_fit_a_message_and_jiras_limits(
    relay_on: Relay, simulator: Simulator
) -> None:
    site = linked_site(relay_on, simulator, WORKSPACE)
    chance = random.Random(7)  # noqa: S311

    def text(size: int, first: int, last: int) -> str:
        return "".join(chr(chance.randint(first, last)) for _ in range(size))

    def url() -> str:
        return "https://x/" + "".join(chance.choices("abcdefghijkmnopqrstuvwxyz0123456789", k=1990))

    largest = [
        container(
            f"{number:0246}",
            # Names with few index rows, because the catalog is slow.
            name="é" * 255,
            description=text(5000, 0x10000, 0x10FFFF),
            url=url(),
            avatarUrl=url(),
        )
        for number in range(41)
    ]
    # No body holds so many of the largest ones, but one run of the submitter has them all.
    for start in range(0, len(largest), 10):
        put(relay_on, *largest[start : start + 10])
    assert relay_on.run_queue() == []
    assert sum(sent_components(site)) == 41
    held = site.held("component")
    assert [held[one["id"]]["description"] for one in largest] == [
        one["description"] for one in largest
    ]


def test_every_date_that_the_catalog_accepts_is_valid_for_jira(
    relay_on: Relay, simulator: Simulator
) -> None:
    site = linked_site(relay_on, simulator, WORKSPACE)
    dates = [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999-14:00",
        "2016-12-31T23:59:60Z",
        "2026-01-30t08:00:00.123456z",
    ]
    put(relay_on, *(container(f"c-{n}", lastUpdatedDate=date) for n, date in enumerate(dates)))
    assert relay_on.run_queue() == []
    assert len(site.held("component")) == len(dates)


# --- Deleting ---


def test_a_deletion_is_delivered_to_every_linked_site(
    relay_on: Relay, simulator: Simulator
) -> None:
    sites = [linked_site(relay_on, simulator, WORKSPACE) for _ in range(2)]
    put(relay_on, container("stays"), container("goes"))
    assert relay_on.run_queue() == []

    for _ in range(2):  # deleting a missing one succeeds
        delete(relay_on, "goes")
        assert relay_on.run_queue() == []

    for site in sites:
        assert list(site.held("component")) == ["stays"]
        assert component_calls(site) == ["POST", "DELETE", "DELETE"]


# --- Several messages at once ---


def bodies(relay: Relay) -> list[str]:
    """The bodies of all queued messages, which are deleted."""
    url = relay.aws.environment["SUBMISSIONS_QUEUE"]
    found: list[str] = []
    while messages := relay.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in messages:
            found.append(message["Body"])
            relay.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def in_turn(relay: Relay, *steps: Callable[[], None]) -> list[str]:
    """What each step queued, in different milliseconds, which tell the changes apart."""
    found: list[str] = []
    for step in steps:
        step()
        found += bodies(relay)
        accepted_at = parse_message(found[-1]).accepted_at
        until(lambda at=accepted_at: time.time() * 1000 >= at + 1)  # type: ignore[misc]
    return found


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the other way round"])
def test_duplicate_ids_in_a_batch_are_sent_once_with_the_newest_state(
    relay_on: Relay, simulator: Simulator, order: int
) -> None:
    site = linked_site(relay_on, simulator, WORKSPACE)
    queued = in_turn(
        relay_on,
        *(
            lambda day=day: put(
                relay_on,
                container(name=f"Day {day}", lastUpdatedDate=f"2026-01-2{day}T08:00:00Z"),
            )
            for day in range(3)
        ),
    )

    assert relay_on.run_again(queued[::order]) == []

    assert sent_components(site) == [1]
    assert site.held("component")["checkout-api"]["name"] == "Day 2"


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the other way round"])
def test_the_last_change_of_an_id_in_a_batch_counts(
    relay_on: Relay, simulator: Simulator, order: int
) -> None:
    site = linked_site(relay_on, simulator, WORKSPACE)
    queued = in_turn(
        relay_on,
        lambda: put(relay_on, container("gone"), container("back")),
        lambda: delete(relay_on, "gone"),
        lambda: delete(relay_on, "back"),
        lambda: put(relay_on, container("back")),
    )

    assert relay_on.run_again(queued[::order]) == []

    assert list(site.held("component")) == ["back"]
    assert component_calls(site) == ["POST", "DELETE"]


# --- Disabled ---


def test_with_components_disabled_nothing_is_queued_or_sent(
    relay_off: Relay, simulator: Simulator
) -> None:
    put(relay_off, container())
    site = linked_site(relay_off, simulator, WORKSPACE)
    url = f"/v1/workspaces/{WORKSPACE}/containers/search"
    document = container()
    del document["id"]
    assert relay_off.provider("PUT", url, document).status == 200
    delete(relay_off, "search")

    assert bodies(relay_off) == []
    assert component_calls(site) == []
    assert simulator.site(site.name)["app"]["modules"] == ["jiraOperationsInfoProvider"]


def test_with_components_disabled_incidents_are_delivered(
    relay_off: Relay, simulator: Simulator
) -> None:
    site = linked_site(relay_off, simulator, WORKSPACE)
    assert relay_off.submit(WORKSPACE, incidents=[incident()]) == []
    assert list(site.held("incident")) == ["inc-1"]


# --- Trouble ---


def test_a_site_that_is_down_is_owed_its_components_without_delaying_others(
    relay_on: Relay, simulator: Simulator
) -> None:
    up, other = (linked_site(relay_on, simulator, WORKSPACE), linked_site(relay_on, simulator))
    link(relay_on, other, OTHER_WORKSPACE)
    down = linked_site(relay_on, simulator, WORKSPACE)
    put(relay_on, container(), container("search"))
    assert relay_on.run_queue() == []
    relay_on.run_replays()
    simulator.fail(down.name, {"kind": "suspended"})
    queued = in_turn(
        relay_on,
        lambda: put(relay_on, container("new")),
        lambda: put(relay_on, container(), workspace=OTHER_WORKSPACE),
        lambda: delete(relay_on, "search"),
    )

    assert relay_on.run_again(queued) == []
    assert sorted(up.held("component")) == ["checkout-api", "new"]
    assert list(other.held("component")) == ["checkout-api"]
    assert sorted(down.held("component")) == ["checkout-api", "search"]

    simulator.fail(down.name)
    relay_on.let_time_pass()
    relay_on.run_replays()
    assert sorted(down.held("component")) == ["checkout-api", "new"]


def test_without_the_module_components_are_refused_and_incidents_are_not(
    relay_on: Relay, simulator: Simulator, without_module: Callable[[], None]
) -> None:
    with_module = linked_site(relay_on, simulator, WORKSPACE)
    descriptor = relay_on.gateway.functions["descriptor"]
    without_module()
    site = linked_site(relay_on, simulator, WORKSPACE)
    assert simulator.site(site.name)["app"]["modules"] == ["jiraOperationsInfoProvider"]
    queued = in_turn(
        relay_on,
        lambda: put(relay_on, container()),
        lambda: relay_on.queue(WORKSPACE, incidents=[incident()]),
    )

    assert relay_on.run_again(queued) == []
    assert list(with_module.held("component")) == ["checkout-api"]
    assert list(site.held("incident")) == list(with_module.held("incident")) == ["inc-1"]
    assert site.held("component") == {}

    relay_on.gateway.functions["descriptor"] = descriptor
    install_again(relay_on, site)
    answer = relay_on.provider("POST", f"/v1/sites/{site.id}/replay", {"what": "all"})
    assert answer.status == 202, answer.body
    relay_on.run_replays()
    assert list(site.held("component")) == ["checkout-api"]
    modules = ["jiraDevOpsComponentProvider", "jiraOperationsInfoProvider"]
    assert simulator.site(site.name)["app"]["modules"] == modules


def test_a_failure_to_queue_is_reported_and_can_be_repeated(
    relay_on: Relay, simulator: Simulator
) -> None:
    def break_off(operation: str) -> None:
        if operation == "SendMessage":
            raise unreachable()

    site = linked_site(relay_on, simulator, WORKSPACE)
    containers = f"/v1/workspaces/{WORKSPACE}/containers"
    attempts: list[tuple[str, str, Any, int]] = [
        ("POST", containers, {"containers": [container(), container("search")]}, 200),
        ("DELETE", f"{containers}/search", None, 204),
    ]
    for method, url, body, status in attempts:
        with aws_calls() as calls:
            calls.before = break_off
            answer = relay_on.provider(method, url, body)
        assert (answer.status, answer.error_code) == (503, "unavailable")
        assert relay_on.provider(method, url, body).status == status
        assert relay_on.run_queue() == []
    assert list(site.held("component")) == ["checkout-api"]
