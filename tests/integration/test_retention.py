"""Closed entities leave the record once they have not changed for `RetentionDays`; nothing that is
open, or owed to a site, does.
"""

from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from relay import keys
from relay.delivery.session import TimeLeft
from relay.entities.model import EntityKey, Kind
from relay.record.entry import entry_of
from relay.record.retention import RetentionStore
from relay.record.store import RecordStore
from relay.replays import retention
from relay.table import Table, from_item
from tests.integration.catching_up_stage import DOWN, ask, put_link, resume, states
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from, install_there
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import AwsCalls, unreachable
from tests.support.entities import incident, review
from tests.support.lambdas import Context

WORKSPACE = "payments"
DAYS = 30
UNKNOWN_PROJECT = [{"associationType": "issueIdOrKeys", "values": ["NOPE-1"]}]


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start("empty", WORKSPACE, "search", simulator=simulator, RETENTION_DAYS=str(DAYS))


def resolved(name: str = "inc-1", sequence: int = 1, **fields: Any) -> dict[str, Any]:
    return incident(name, sequence, status="resolved", **fields)


def completed(name: str = "rev-1") -> dict[str, Any]:
    return review(name, status="completed")


def items(relay: Relay) -> list[dict[str, Any]]:
    table = relay.aws.environment["RECORD_TABLE"]
    return list(map(from_item, relay.aws.dynamodb.scan(TableName=table)["Items"]))


def record_of(relay: Relay) -> list[dict[str, Any]]:
    """The items of entities, outcomes and debts, without what remains of those that have left."""
    kinds = ("entity#", "outcome#", "debt#")
    return [one for one in items(relay) if one["pk"].startswith(kinds) and "removedAt" not in one]


def names(relay: Relay, prefix: str = "entity#") -> set[str]:
    return {one["sk"] for one in record_of(relay) if one["pk"].startswith(prefix)}


def days_pass(relay: Relay, days: int = DAYS + 1) -> None:
    """As if everything had been recorded, and the last pass started, so long ago."""
    table = relay.aws.environment["RECORD_TABLE"]
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    for item in record_of(relay):
        if item["pk"].startswith("entity#"):
            relay.aws.dynamodb.update_item(
                TableName=table,
                Key={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}},
                UpdateExpression="SET recordedAt = :at",
                ExpressionAttributeValues={":at": {"S": before}},
            )
    Table(relay.aws.dynamodb, table).write_all(deletes=[keys.RETENTION])


def time_for_a_page() -> TimeLeft:
    return chain([60.0], repeat(0.0)).__next__


def test_what_is_closed_leaves_with_its_outcomes_and_jira_keeps_it(
    relay: Relay, site: JiraSite
) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()], reviews=[completed()])
    relay.submit("search", incidents=[resolved()])
    assert names(relay, "outcome#")
    days_pass(relay)
    relay.sweep()
    assert record_of(relay) == []
    path = f"/v1/workspaces/{WORKSPACE}"
    assert relay.provider("GET", f"{path}/incidents/inc-1").status == 404
    assert relay.provider("GET", f"{path}/entities").json()["entities"] == []
    exported = relay.provider("GET", f"{path}/export").json()
    assert (exported["incidents"], exported["reviews"]) == ([], [])
    assert site.held("incident").keys() | site.held("review").keys() == {"inc-1", "rev-1"}


def test_what_is_open_deleted_or_recent_stays(relay: Relay, site: JiraSite) -> None:
    relay.submit(
        WORKSPACE,
        incidents=[incident("open"), incident("unknown", status="unknown"), resolved("deleted")],
        reviews=[review("progress"), review("actions", status="outstanding actions")],
    )
    relay.provider("DELETE", f"/v1/workspaces/{WORKSPACE}/incidents/deleted")
    relay.run_queue()
    days_pass(relay)
    relay.submit(WORKSPACE, incidents=[resolved("recent")])
    before = record_of(relay)
    relay.sweep()
    assert record_of(relay) == before
    assert site.held("incident")


def test_it_leaves_after_the_days_and_no_earlier(relay: Relay) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    days_pass(relay, DAYS - 1)
    relay.sweep()
    assert names(relay)
    days_pass(relay)
    relay.sweep()
    assert not names(relay)


def test_what_a_site_is_owed_stays_until_the_site_has_answered(
    relay: Relay, site: JiraSite
) -> None:
    site.simulator.fail(site.name, DOWN)
    relay.submit(WORKSPACE, incidents=[resolved()])
    days_pass(relay)
    relay.sweep()
    assert names(relay) == names(relay, "debt#") == {"inc#inc-1"}
    site.simulator.fail(site.name)
    resume(relay)
    assert site.held("incident")
    days_pass(relay)
    relay.sweep()
    assert record_of(relay) == []


def test_one_of_two_sites_is_enough_to_keep_it(
    relay: Relay, site: JiraSite, simulator: Simulator
) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    other = install_from(relay, simulator)
    put_link(relay, other)
    # The other site's replay has not run, so no debt names the entity.
    days_pass(relay)
    relay.gateway.functions["sweeper"].handler({}, Context())
    assert names(relay)
    relay.run_replays()
    assert other.held("incident") == site.held("incident")
    days_pass(relay)
    relay.sweep()
    assert record_of(relay) == []


def test_a_replay_of_everything_delivers_it_first(relay: Relay, site: JiraSite) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    days_pass(relay)
    ask(relay, site, what="all")
    relay.gateway.functions["sweeper"].handler({}, Context())
    assert names(relay)
    relay.run_replays()
    days_pass(relay)
    relay.sweep()
    assert record_of(relay) == []


@pytest.mark.usefixtures("site")
def test_a_refused_entity_leaves_too(relay: Relay) -> None:
    """Jira has answered for it, and Relay does not send it again."""
    relay.submit(WORKSPACE, incidents=[resolved(associations=UNKNOWN_PROJECT)])
    assert states(relay) == {"inc-1": "unknown project keys"}
    days_pass(relay)
    relay.sweep()
    assert record_of(relay) == []


def test_a_site_that_installs_the_app_again_gets_what_is_left(relay: Relay, site: JiraSite) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(), incident("open")])
    site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    days_pass(relay)
    relay.sweep()
    assert names(relay) == {"inc#open"}
    install_there(relay, site.simulator, site.name)
    resume(relay)
    assert site.held("incident").keys() == {"open"}


def test_a_later_state_of_what_has_left_is_delivered(relay: Relay, site: JiraSite) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    days_pass(relay)
    relay.sweep()
    relay.submit(WORKSPACE, incidents=[incident(sequence=2, summary="Again")])
    assert site.held("incident")["inc-1"]["summary"] == "Again"


def test_what_changes_while_it_leaves_stays(relay: Relay) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(), resolved("inc-2")])
    table = relay.aws.environment["RECORD_TABLE"]
    read = list(RecordStore(relay.aws.dynamodb, table).entries(WORKSPACE))
    relay.submit(WORKSPACE, incidents=[incident(sequence=2)])
    removed = RetentionStore(relay.aws.dynamodb, table).remove(WORKSPACE, read, 1)
    assert removed == {EntityKey(Kind.INCIDENT, "inc-2")}
    [left] = [one for one in record_of(relay) if one["pk"].startswith("entity#")]
    assert entry_of(left).sequence == 2


def test_a_pass_continues_at_the_next_sweep(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(f"inc-{number}") for number in range(3)])
    days_pass(relay)
    monkeypatch.setattr(retention, "_ENTRIES_AT_ONCE", 1)
    left = []
    apply = relay.gateway.functions["sweeper"].retention.apply
    for _ in range(12):
        apply(time_for_a_page())
        left.append(len(names(relay)))
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == 4
    assert left[-1] == 0


def test_a_pass_starts_once_a_day(relay: Relay, calls: AwsCalls) -> None:
    relay.submit(WORKSPACE, incidents=[resolved()])
    relay.sweep()
    relay.submit("search", incidents=[resolved()])
    before = len(calls.names)
    relay.gateway.functions["sweeper"].retention.apply(lambda: 60.0)
    assert calls.names[before:] == ["GetItem"]


@pytest.mark.usefixtures("site")
def test_a_pass_that_is_cut_off_anywhere_is_repeated(relay: Relay, calls: AwsCalls) -> None:
    apply = relay.gateway.functions["sweeper"].retention.apply
    for at in range(100):
        relay.submit(WORKSPACE, incidents=[resolved(f"inc-{at}"), incident(f"open-{at}")])
        days_pass(relay)
        before = len(calls.names)
        calls.fail(unreachable(), at)
        try:
            apply(lambda: 60.0)
        except EndpointConnectionError:
            assert f"inc#open-{at}" in names(relay)
        reached = len(calls.names) - before
        calls.no_more_trouble()
        if reached <= at:
            break
        apply(lambda: 60.0)
        left = {one["sk"] for one in record_of(relay)}
        assert f"inc#inc-{at}" not in left
        assert f"inc#open-{at}" in left
    else:
        pytest.fail("The pass makes more calls")


def test_without_days_nothing_leaves_and_nothing_is_read(start: Start, calls: AwsCalls) -> None:
    relay = start(WORKSPACE)
    relay.submit(WORKSPACE, incidents=[resolved()])
    days_pass(relay, 10_000)
    before = len(calls.names)
    relay.gateway.functions["sweeper"].retention.apply(lambda: 60.0)
    assert len(calls.names) == before


def test_what_was_associated_with_it_leaves_too(relay: Relay, site: JiraSite) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(), incident("open")])
    for name in ("inc-1", "open"):
        body = {"entity": {"id": relay.at_site(name)}, "associatedWith": {"id": "10068"}}
        assert relay.jira(site.site, "PUT", "/entities/associated", body).status == 204
    days_pass(relay)
    relay.sweep()
    assert names(relay) == {"inc#open"}
    associated = [one["pk"] for one in items(relay) if one["pk"].startswith("association#")]
    assert associated
    assert all(one.endswith(".open") for one in associated)


def test_a_pass_names_no_workspace_that_is_erased(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.submit(WORKSPACE, incidents=[resolved(f"inc-{number}") for number in range(3)])
    days_pass(relay)
    monkeypatch.setattr(retention, "_ENTRIES_AT_ONCE", 1)
    apply = relay.gateway.functions["sweeper"].retention.apply
    for _ in range(2):
        apply(time_for_a_page())
    assert [one["workspaceId"] for one in items(relay) if one["pk"] == "retention"] == [WORKSPACE]

    assert relay.provider("DELETE", f"/v1/workspaces/{WORKSPACE}?erase=true").status == 202
    for _ in range(2):
        relay.let_time_pass()
        relay.run_replays()

    assert not [one for one in items(relay) if WORKSPACE in str(one)]
    # The pass begins again, and ends.
    relay.sweep()
    assert [one["workspaceId"] for one in items(relay) if one["pk"] == "retention"] == [""]
