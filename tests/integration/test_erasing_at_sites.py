"""A site that can't be called delays no other, and no erasure for ever; it is named."""

import time
from typing import Any

import pytest

from relay import keys
from relay.telemetry import Metric
from tests.integration.erasing_stage import (
    ERASED,
    OTHER,
    PATH,
    associate,
    change,
    erase,
    erasure,
    go_on,
    held,
    items,
    key_of,
    link,
    linked_in_jira,
)
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import aws_calls
from tests.support.entities import incident

DAY_MS = 86_400_000


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    relay = start(ERASED, OTHER, simulator=simulator)
    relay.submit(ERASED, incidents=[incident()])
    return relay


@pytest.fixture
def sites(relay: Relay, simulator: Simulator) -> list[JiraSite]:
    """In the order in which they are called."""
    found = [install_from(relay, simulator) for _ in range(4)]
    for site in found:
        link(relay, site)
    return sorted(found, key=lambda site: site.id)


def suspend(*sites: JiraSite) -> None:
    for site in sites:
        site.simulator.fail(site.name, {"kind": "suspended"})


def left(relay: Relay, key: str) -> list[str]:
    return [one for one in items(relay, ERASED, key) if "'erasing'" not in one]


def unreached(relay: Relay) -> list[str]:
    return sorted(one["site"] for one in erasure(relay)["unreached"])


def test_sites_that_do_not_answer_delay_neither_the_others_nor_the_tables(
    relay: Relay, sites: list[JiraSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    *dead, well = sites
    ours = key_of(relay)
    suspend(*dead)
    # Each step has time for one site only.
    monkeypatch.setattr("relay.provider.erasure_stages._SITE_SECONDS", 1_000_000)
    erase(relay)

    assert go_on(relay) == "unreached"

    # Only the list of erasures names it, beside its item.
    assert [one for one in left(relay, ours) if "'erasures'" not in one] == []
    assert (held(well, ours), linked_in_jira(well)) == (0, [])
    assert unreached(relay) == [site.id for site in dead]
    assert all("503" in one["reason"] for one in erasure(relay)["unreached"])
    assert relay.provider("GET", PATH).error_code == "being_erased"
    calls = len(well.calls())

    for site in dead:
        site.simulator.fail(site.name)
    assert go_on(relay) == "done"
    assert unreached(relay) == []
    assert [(held(site, ours), linked_in_jira(site)) for site in dead] == [(0, [])] * 3
    assert len(well.calls()) == calls


def test_it_ends_after_two_weeks_and_names_the_sites_not_reached(
    relay: Relay, sites: list[JiraSite], caplog: pytest.LogCaptureFixture
) -> None:
    dead, *_ = sites
    ours = key_of(relay)
    suspend(dead)
    erase(relay)
    assert go_on(relay) == "unreached"
    place = keys.workspace_item(ERASED)
    change(relay, place, startedAt=int(time.time() * 1000) - 13 * DAY_MS)
    assert go_on(relay) == "unreached"
    change(relay, place, startedAt=int(time.time() * 1000) - 14 * DAY_MS)

    assert go_on(relay) == "done"

    assert unreached(relay) == [dead.id]
    assert items(relay, ERASED, ours) == []
    assert linked_in_jira(dead) == [ERASED]
    assert any("was not erased at a site" in record.message for record in caplog.records)
    assert held(dead, ours) == 1


def test_each_attempt_at_a_site_is_later_than_the_last(relay: Relay, sites: list[JiraSite]) -> None:
    suspend(sites[0])
    erase(relay)
    delays = []
    for _ in range(8):
        go_on(relay)
        item = item_of(relay)
        delays.append((int(item["due"]["N"]) - int(item["updatedAt"]["N"])) // 60_000)
    assert delays == sorted(delays)
    assert (delays[0] < 60, delays[-1]) in ((True, 359), (True, 360))


def item_of(relay: Relay) -> Any:
    place = keys.workspace_item(ERASED)
    table = relay.aws.environment["CATALOG_TABLE"]
    return relay.aws.dynamodb.get_item(
        TableName=table, Key={"pk": {"S": place[0]}, "sk": {"S": place[1]}}
    )["Item"]


def test_a_secret_that_can_not_be_read_delays_only_its_site(
    relay: Relay, sites: list[JiraSite]
) -> None:
    broken, *others = sites
    relay.aws.dynamodb.update_item(
        TableName=relay.aws.environment["TENANTS_TABLE"],
        Key={"pk": {"S": keys.tenant(broken.id)}, "sk": {"S": keys.TENANT}},
        UpdateExpression="SET secretKey = :other, secret = :other",
        ExpressionAttributeValues={":other": {"B": b"of another key"}},
    )
    ours = key_of(relay)
    erase(relay)

    assert go_on(relay) == "unreached"

    [one] = erasure(relay)["unreached"]
    assert one == {"site": broken.id, "reason": "The site's secret can't be read."}
    assert [held(site, ours) for site in others] == [0, 0, 0]


@pytest.mark.usefixtures("sites")
def test_the_wait_begins_when_all_sites_are_unlinked(relay: Relay) -> None:
    unlinked_at = 0.0
    with aws_calls() as calls:

        def slowly(operation: str) -> None:
            nonlocal unlinked_at
            if operation == "TransactWriteItems":
                time.sleep(0.3)
                unlinked_at = time.time()

        erase(relay)
        calls.after = slowly
        relay.run_replays()
    assert erasure(relay)["stage"] == "wait"
    assert int(item_of(relay)["due"]["N"]) >= (unlinked_at + 180) * 1000


def test_links_that_a_race_has_left_are_deleted(relay: Relay, sites: list[JiraSite]) -> None:
    """As when a merged tenant's link is moved at the same moment: its tenant's side is left."""
    table = relay.aws.environment["TENANTS_TABLE"]
    erase(relay)
    relay.run_replays()
    ghost = {"pk": {"S": keys.tenant(sites[0].id)}, "sk": {"S": keys.workspace(ERASED)}}
    more: Any = {"key": {"S": "abcdefgh"}, "plain": {"BOOL": False}, "logoUrl": {"S": ""}}
    relay.aws.dynamodb.put_item(TableName=table, Item=ghost | more)
    assert go_on(relay) == "done"
    assert items(relay, ERASED) == []


def test_an_overdue_erasure_is_counted(
    relay: Relay, sites: list[JiraSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[Metric, float] = {}
    monkeypatch.setattr(
        "relay.provider.erasing.count", lambda metric, value: counted.update({metric: value})
    )
    suspend(sites[0])
    erase(relay)
    go_on(relay)
    assert counted[Metric.ERASURES_OVERDUE] == 0
    change(
        relay,
        keys.workspace_item(ERASED),
        startedAt=int(time.time() * 1000) - DAY_MS - 1,
    )
    relay.sweep()
    assert counted[Metric.ERASURES_OVERDUE] == 1


def test_with_plain_ids_what_was_associated_is_deleted_too(
    start: Start, simulator: Simulator
) -> None:
    relay = start(ERASED, OTHER, simulator=simulator, PLAIN_IDS="on")
    site, other = (install_from(relay, simulator) for _ in range(2))
    link(relay, site)
    link(relay, other, OTHER)
    for workspace in (ERASED, OTHER):
        relay.submit(workspace, incidents=[incident()])
    associate(relay, site, ERASED)
    associate(relay, other, OTHER)
    others = len(items(relay, f"association#{other.id}"))
    assert len(items(relay, f"association#{site.id}")) == others == 3
    erase(relay)
    assert go_on(relay) == "done"
    assert items(relay, f"association#{site.id}", ERASED) == []
    assert len(items(relay, f"association#{other.id}")) == others


def test_what_a_failed_deletion_took_from_another_workspace_is_replayed_at_once(
    start: Start, simulator: Simulator
) -> None:
    """With plain ids, a workspace that is linked in place of the erased one may have the same."""
    relay = start(ERASED, OTHER, simulator=simulator, PLAIN_IDS="on")
    site = install_from(relay, simulator)
    link(relay, site)
    relay.submit(ERASED, incidents=[incident("i", 5)])
    erase(relay)
    relay.run_replays()
    link(relay, site, OTHER)
    # Jira keeps the erased workspace's state, and says that it has accepted this one.
    relay.submit(OTHER, incidents=[incident("i", 1)])
    operations = ["deleteComponentsByProperty"]
    simulator.fail(site.name, {"kind": "suspended", "operations": operations})

    assert go_on(relay) == "unreached"

    assert linked_in_jira(site) == [OTHER]
    assert site.at_site("incident").keys() == {"i"}
