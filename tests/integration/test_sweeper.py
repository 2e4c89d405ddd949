"""The sweeper: due replays are queued, sites in trouble are tried, others are not called."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from tests.integration.catching_up_stage import (
    DOWN,
    SUBMIT,
    ask,
    forget_calls,
    progress,
    resume,
    sequences,
    step,
    unlink,
)
from tests.integration.relay_stage import JiraSite, Relay
from tests.integration.replays_stage import let_delays_pass, received
from tests.support.aws_calls import AwsCalls, unreachable
from tests.support.entities import incident
from tests.support.lambdas import Context

LATER = {"kind": "rate limit", "retryAfter": "600", "operations": SUBMIT}
_numbers = itertools.count(1)


Link = Callable[..., JiraSite]


def sweep(relay: Relay, context: Context | None = None) -> None:
    relay.gateway.functions["sweeper"].handler({}, context or Context())


def queued_replays(relay: Relay) -> list[tuple[str, str]]:
    """The (site, workspace) of each message in the replays' queue, including delayed ones; the
    queue is emptied.
    """
    let_delays_pass("ReplaysQueue")
    found = received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])
    contents = [json.loads(message["Body"]) for message in found]
    return sorted((content["tenantId"], content["workspaceId"]) for content in contents)


def state_of(relay: Relay, site: JiraSite) -> str:
    return str(relay.provider("GET", f"/v1/sites/{site.id}").json()["state"])


def in_trouble_and_owed_nothing(relay: Relay, site: JiraSite) -> None:
    """A site in trouble whose only debt is deleted with its workspace's link."""
    site.simulator.fail(site.name, DOWN | {"retryAfter": "3000"})
    relay.submit("payments", incidents=[incident(f"i-{next(_numbers)}")])
    site.simulator.fail(site.name)
    unlink(relay, site)
    table = relay.aws.environment["TENANTS_TABLE"]
    relay.aws.dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": f"tenant#{site.id}"}, "sk": {"S": "replay#payments"}},
        UpdateExpression="SET due = :past",
        ExpressionAttributeValues={":past": {"N": "0"}},
    )
    sweep(relay)
    assert step(relay) == 1
    assert progress(relay, site)["state"] == "done"
    forget_calls(site)


# --- Replays ---


def test_only_due_replays_are_queued(relay: Relay, link: Link) -> None:
    done, due, later = link(), link(), link()
    site_of_two = link("payments", "search")
    relay.submit("payments", incidents=[incident("i")])
    later.simulator.fail(later.name, LATER)
    ask(relay, later, what="all")
    step(relay)
    for site in (due, site_of_two):
        ask(relay, site, what="all")
    assert len(queued_replays(relay)) == 3 + 1  # all are gone now, including the delayed one
    assert progress(relay, done)["state"] == "done"
    sweep(relay)
    assert queued_replays(relay) == sorted(
        [(due.id, "payments"), (site_of_two.id, "payments"), (site_of_two.id, "search")]
    )
    relay.let_time_pass()
    sweep(relay)
    assert (later.id, "payments") in queued_replays(relay)


def test_a_leased_replay_is_not_queued_before_its_lease_ends(
    relay: Relay, link: Link, calls: AwsCalls
) -> None:
    site = link()
    relay.submit("payments", incidents=[incident("i")])
    ask(relay, site, what="all")

    def end_silently(operation: str) -> None:
        if operation == "TransactWriteItems":
            raise unreachable()

    calls.before = end_silently
    with pytest.raises(BotoCoreError):
        step(relay)
    calls.no_more_trouble()
    sweep(relay)
    assert queued_replays(relay) == []
    assert progress(relay, site)["state"] == "running"
    resume(relay)
    assert progress(relay, site)["state"] == "done"


def test_a_link_without_a_replay_gets_one(relay: Relay, link: Link) -> None:
    """Older versions of Relay left such links."""
    site = link()
    relay.links.link(site.id, "search")
    relay.submit("search", incidents=[incident("i")])
    relay.sweep()
    document = progress(relay, site, "search")
    assert (document["why"], document["state"]) == ("reinstalled", "done")
    sweep(relay)
    assert queued_replays(relay) == []


def test_a_replay_of_a_removed_link_is_ended(relay: Relay, link: Link) -> None:
    site = link()
    relay.submit("payments", incidents=[incident("i")])
    site.simulator.fail(site.name, DOWN)
    ask(relay, site, what="all")
    relay.run_replays()
    unlink(relay, site)
    forget_calls(site)
    resume(relay)
    assert progress(relay, site)["state"] == "done"
    # The call only deletes the workspace's former entities again.
    assert {method for method, _ in site.calls()} == {"DELETE"}


# --- Sites in trouble ---


def test_a_site_in_trouble_without_debts_is_tried(relay: Relay, link: Link) -> None:
    site = link("payments", "search")
    in_trouble_and_owed_nothing(relay, site)
    sweep(relay)
    assert site.calls() == []  # not before its time
    assert state_of(relay, site) == "slowed"

    site.simulator.fail(site.name, {"kind": "suspended"})
    relay.let_time_pass()
    for _ in range(3):
        sweep(relay)
    assert len(site.calls()) == 1
    assert state_of(relay, site) == "slowed"

    site.simulator.fail(site.name)
    relay.let_time_pass()
    sweep(relay)
    assert site.calls()[1:] == [("GET", f"/sites/{site.name}/rest/operations/1.0/linkedWorkspaces")]
    assert state_of(relay, site) == "active"
    sweep(relay)
    assert len(site.calls()) == 2


def test_a_site_with_debts_is_tried_by_its_replay(relay: Relay, link: Link) -> None:
    site = link()
    site.simulator.fail(site.name, DOWN)
    relay.submit("payments", incidents=[incident("i")])
    site.simulator.fail(site.name)
    forget_calls(site)
    relay.let_time_pass()
    queued_replays(relay)
    sweep(relay)
    assert site.calls() == []
    relay.run_replays()
    assert sequences(site) == {"i": 1}
    assert state_of(relay, site) == "active"


def test_a_healthy_site_is_left_alone(relay: Relay, link: Link) -> None:
    site = link()
    relay.submit("payments", incidents=[incident("i")])
    forget_calls(site)
    relay.let_time_pass()
    before = relay.stored()
    sweep(relay)
    assert (queued_replays(relay), site.calls()) == ([], [])
    assert relay.stored() == before


def test_a_refused_trial_request_proves_that_the_site_answers(relay: Relay, link: Link) -> None:
    """And it does not delay the other sites."""
    site, other = link("payments", "search"), link("search")
    in_trouble_and_owed_nothing(relay, site)
    refused = {"kind": "error", "status": 400, "operations": ["getWorkspaces"]}
    site.simulator.fail(site.name, refused)
    relay.let_time_pass()
    ask(relay, other, what="all")
    queued_replays(relay)
    sweep(relay)
    assert queued_replays(relay) == [(other.id, "search")]
    assert state_of(relay, site) == "active"


class Late(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def test_without_time_for_a_call_no_site_is_tried_and_due_replays_are_queued(
    relay: Relay, link: Link
) -> None:
    site, other = link("payments", "search"), link("search")
    in_trouble_and_owed_nothing(relay, site)
    relay.let_time_pass()
    ask(relay, other, what="all")
    queued_replays(relay)
    sweep(relay, Late())
    assert site.calls() == []
    assert queued_replays(relay) == [(other.id, "search")]


def test_a_failure_of_aws_for_one_site_is_reported_and_does_not_delay_others(
    relay: Relay, link: Link, calls: AwsCalls
) -> None:
    sites = [link(), link(), link()]
    for site in sites:
        ask(relay, site, what="all")
    queued_replays(relay)
    queries = itertools.count()

    def fail(operation: str) -> None:
        # The first query lists the tenants; the second is for one of them.
        if operation == "Query" and next(queries) == 1:
            raise unreachable()

    calls.before = fail
    with pytest.raises(BotoCoreError):
        sweep(relay)
    calls.no_more_trouble()
    assert len(queued_replays(relay)) == 2
    sweep(relay)
    assert len(queued_replays(relay)) == 3


def test_a_site_without_the_app_is_left_alone(relay: Relay, link: Link) -> None:
    site = link()
    site.simulator.fail(site.name, DOWN)
    relay.submit("payments", incidents=[incident("i")])
    site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    forget_calls(site)
    relay.let_time_pass()
    assert queued_replays(relay) == [(site.id, "payments")]
    before = relay.stored()
    sweep(relay)
    assert (queued_replays(relay), site.calls()) == ([], [])
    assert relay.stored() == before
    assert progress(relay, site)["state"] == "waiting"


# --- Metrics ---


def counted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = ("SitesNeedingAttention", "SitesSlowed", "ReplaysWaiting")
    [metrics] = [line for line in lines if "_aws" in line] or [{}]
    return {name: sum(metrics[name]) for name in names if name in metrics}


def test_every_problem_is_counted(
    relay: Relay, link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    refused, slowed, idle, gone = link(), link("payments", "search"), link(), link()
    idle_and_slowed = link("payments", "search")
    in_trouble_and_owed_nothing(relay, idle_and_slowed)
    for site, fault in (
        (refused, {"kind": "revoked secret"}),
        (slowed, LATER),
        (gone, {"kind": "forbidden"}),
    ):
        site.simulator.fail(site.name, fault)
    relay.submit("payments", incidents=[incident("i")])
    relay.submit("search", incidents=[incident("s")])
    gone.simulator.control("POST", f"/sites/{gone.name}/uninstall").raise_for_status()
    assert state_of(relay, idle) == "active"
    capsys.readouterr()

    sweep(relay)
    # One of the refused site, and one for each waiting workspace of the slowed sites.
    assert counted(capsys) == {
        "SitesNeedingAttention": 1,
        "SitesSlowed": 2,
        "ReplaysWaiting": 1 + 2 + 1,
    }


def overdue(capsys: pytest.CaptureFixture[str]) -> list[float]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [value for line in lines for value in line.get("ReplaysOverdue", ())]


def test_the_longest_overdue_replay_of_each_site_is_measured(
    relay: Relay, link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    two, one, done = link("payments", "search"), link("search"), link()
    for site in (two, one):
        ask(relay, site, what="all")
    now = int(time.time() * 1000)
    for site, workspace, hours in (
        (two, "payments", 1),
        (two, "search", 3),
        (one, "search", 2),
        (done, "payments", 5),
    ):
        relay.aws.dynamodb.update_item(
            TableName=relay.aws.environment["TENANTS_TABLE"],
            Key={"pk": {"S": f"tenant#{site.id}"}, "sk": {"S": f"replay#{workspace}"}},
            UpdateExpression="SET due = :past, updatedAt = :past",
            ExpressionAttributeValues={":past": {"N": str(now - hours * 3_600_000)}},
        )
    capsys.readouterr()
    sweep(relay)
    assert sorted(value // 3600 for value in overdue(capsys)) == [2, 3]


def test_a_replay_that_waits_for_its_site_is_not_overdue(
    relay: Relay, link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    site = link()
    site.simulator.fail(site.name, LATER)
    relay.submit("payments", incidents=[incident("i")])
    capsys.readouterr()
    sweep(relay)
    assert counted(capsys) == {"SitesSlowed": 1, "ReplaysWaiting": 1}
    sweep(relay)
    assert overdue(capsys) == []


def test_without_problems_nothing_is_counted(
    relay: Relay, link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    link()
    capsys.readouterr()
    sweep(relay)
    assert counted(capsys) == {}
