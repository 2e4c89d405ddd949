"""Replays: a site gets what it lacks, or everything again, despite interruptions anywhere."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from relay.record.store import EntryPage, RecordStore
from tests.integration.catching_up_stage import (
    DOWN,
    SUBMIT,
    ask,
    before_call,
    debts,
    forget_calls,
    lose,
    progress,
    put_link,
    resume,
    sent,
    sequences,
    states,
    step,
    summaries,
    unlink,
)
from tests.integration.relay_stage import JiraSite, Relay, install_from
from tests.integration.replays_stage import received
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import AwsCalls, unreachable
from tests.support.entities import incident, review
from tests.support.lambdas import Context, sqs_event
from tests.support.quick_transactions import quick_transactions

Link = Callable[..., JiraSite]


# --- Scope of a replay ---


@pytest.mark.parametrize("keep_sequences", [True, False])
def test_a_replay_of_all_delivers_everything_again(
    relay: Relay, site: JiraSite, keep_sequences: bool
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    lose(site, keep_sequences)
    [begun] = ask(relay, site, what="all")
    assert (begun["workspaceId"], begun["state"], begun["what"], begun["why"]) == (
        "payments",
        "waiting",
        "all",
        "requested",
    )
    relay.run_replays()
    assert sequences(site).keys() == {"i", "j", "r"}
    assert site.simulator.site(site.name)["linkedWorkspaces"] == ["payments"]
    assert sorted(sent(site)) == [(0, 1), (2, 0)]
    assert progress(relay, site)["state"] == "done"


def test_a_replay_of_all_replaces_existing_states(relay: Relay, site: JiraSite) -> None:
    """Jira may hold something else under the same sequence."""
    relay.submit("payments", incidents=[incident("i", 4, summary="as recorded")])
    for round_ in (1, 2):
        ask(relay, site, what="all")
        relay.run_replays()
        assert sequences(site) == {"i": 4 + round_}
    relay.submit("payments", incidents=[incident("i", 5, summary="newer")])
    assert summaries(site) == {"i": "newer"}


def test_a_replay_of_owed_delivers_only_debts(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("there")])
    site.simulator.fail(site.name, DOWN)
    assert relay.submit("payments", incidents=[incident("i"), incident("j")]) == []
    relay.submit("payments", reviews=[review("r")])
    site.simulator.fail(site.name)
    forget_calls(site)
    assert debts(relay, site) == 3
    ask(relay, site)
    relay.run_replays()
    assert sent(site) == []  # a site in trouble is not called before its time
    relay.let_time_pass()
    relay.run_replays()
    assert sorted(sent(site)) == [(0, 1), (2, 0)]
    assert sequences(site).keys() == {"there", "i", "j", "r"}
    assert debts(relay, site) == 0
    assert set(states(relay).values()) == {"accepted"}


def test_without_debts_nothing_is_sent(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")], reviews=[review("r")])
    forget_calls(site)
    ask(relay, site, what="owed")
    relay.run_replays()
    assert site.calls() == []
    document = progress(relay, site)
    assert (document["state"], document["done"], document["total"]) == ("done", 2, 2)


def test_a_replay_since_a_time_delivers_what_was_recorded_then_or_later(
    relay: Relay, site: JiraSite
) -> None:
    for entity_id in ("i", "j", "k"):
        relay.submit("payments", incidents=[incident(entity_id)])
        time.sleep(0.002)
    relay.submit("payments", incidents=[incident("i", 2)])
    moment = relay.provider("GET", "/v1/workspaces/payments/incidents/k").json()["recordedAt"]
    lose(site, keep_sequences=False)
    [begun] = ask(relay, site, what="owed", since=moment)
    assert (begun["what"], begun["since"]) == ("since", moment)
    relay.run_replays()
    assert sequences(site) == {"k": 1, "i": 2}
    assert sent(site) == [(2, 0)]


def test_a_replay_since_a_time_ends_at_a_site_with_a_small_limit(
    relay: Relay, site: JiraSite
) -> None:
    """Entities with different properties are separate requests, and each attempt ends after one."""
    moment = datetime.now(UTC).isoformat()
    for team in "abc":
        relay.submit("payments", incidents=[incident(team)], properties={"team": team})
    lose(site, keep_sequences=False)
    ask(relay, site, since=moment)
    for _ in range(3):
        site.simulator.fail(site.name, {"kind": "bucket", "capacity": 1, "perSecond": 0.0001})
        resume(relay)
    assert sent(site) == [(1, 0)] * 3
    resume(relay)
    assert sequences(site) == {"a": 1, "b": 1, "c": 1}
    assert progress(relay, site)["state"] == "done"


def test_one_workspace_or_every_linked_one_is_replayed(relay: Relay, link: Link) -> None:
    site = link("payments", "search")
    relay.submit("payments", incidents=[incident("p")])
    relay.submit("search", incidents=[incident("s")])
    lose(site)
    [begun] = ask(relay, site, what="all", workspaceId="search")
    assert begun["workspaceId"] == "search"
    relay.run_replays()
    assert sequences(site) == {"s": 2}
    begun_for = {one["workspaceId"] for one in ask(relay, site, what="all")}
    assert begun_for == {"payments", "search"}
    relay.run_replays()
    assert sequences(site) == {"s": 3, "p": 2}
    assert {progress(relay, site, one)["state"] for one in begun_for} == {"done"}


def test_only_the_requested_site_is_called(relay: Relay, link: Link) -> None:
    one, other = link(), link()
    relay.submit("payments", incidents=[incident("i")])
    forget_calls(one)
    ask(relay, one, what="all")
    relay.run_replays()
    assert sent(one) == [(1, 0)]
    assert other.calls() == []


def test_a_new_link_delivers_the_workspaces_existing_entities(relay: Relay, link: Link) -> None:
    relay.submit("payments", incidents=[incident("i", 7)], reviews=[review("r", 2)])
    site = link()
    assert sequences(site) == {"i": 7, "r": 2}
    document = progress(relay, site)
    assert (document["why"], document["state"]) == ("linked", "done")


def test_a_replays_message_has_its_sites_group(relay: Relay, site: JiraSite) -> None:
    """So a site with many messages does not delay the others."""
    ask(relay, site, what="all")

    queued = relay.aws.sqs.receive_message(
        QueueUrl=relay.aws.environment["REPLAYS_QUEUE"],
        MessageSystemAttributeNames=["MessageGroupId"],
    )["Messages"]

    assert [message["Attributes"]["MessageGroupId"] for message in queued] == [site.id]


# --- Few calls ---


def test_the_newest_state_of_each_entity_is_sent_once(relay: Relay, site: JiraSite) -> None:
    site.simulator.fail(site.name, DOWN)
    for sequence in (1, 4, 2, 5, 3):
        relay.submit("payments", incidents=[incident(i, sequence) for i in ("i", "j")])
    site.simulator.fail(site.name)
    forget_calls(site)
    relay.let_time_pass()
    relay.run_replays()
    assert sent(site) == [(2, 0)]
    assert sequences(site) == {"i": 5, "j": 5}


def test_a_replay_of_all_costs_a_call_per_thousand_of_a_kind(
    relay: Relay, simulator: Simulator
) -> None:
    functions = relay.gateway.functions
    quick_transactions(*(functions[name].parts.dynamodb for name in ("submitter", "replayer")))
    ids = [f"i-{number}" for number in range(2300)]
    reviews = [review(f"r-{number}") for number in range(40)]
    relay.submit("payments", incidents=[incident(one) for one in ids], reviews=reviews)
    site = install_from(relay, simulator)
    forget_calls(site)
    # After a third of the requests the site stops answering.
    simulator.fail(site.name, {"kind": "bucket", "capacity": 2, "perSecond": 0.0001})
    put_link(relay, site)
    relay.run_replays()
    document = progress(relay, site)
    assert (document["state"], document["done"], document["total"]) == ("waiting", 1000, 2340)
    assert (document["remaining"], "429" in document["reason"]) == (1340, True)
    simulator.fail(site.name)
    resume(relay)
    assert sent(site) == [(1000, 0), (1000, 0), (300, 0), (0, 40)]
    assert sequences(site).keys() == {*ids, *(one["id"] for one in reviews)}
    assert (progress(relay, site)["done"], progress(relay, site)["remaining"]) == (2340, 0)


# --- Interruptions ---


class Killed(BaseException):
    """Ends the process, as a Lambda timeout does."""


@pytest.fixture(params=["unreachable", "killed"])
def break_off(request: pytest.FixtureRequest) -> Callable[[AwsCalls, int], None]:
    """Let the call to AWS with this number fail, or end the process after that call."""

    def arm(calls: AwsCalls, at: int) -> None:
        position = len(calls.names) + at + 1

        def kill(_: str) -> None:
            if calls.number == position:
                raise Killed

        if request.param == "killed":
            calls.after = kill
        else:
            calls.fail(unreachable(), at)

    return arm


def broken_step(relay: Relay, calls: AwsCalls, arm: Callable[[], None]) -> int:
    """Run an interrupted step; return the number of its calls to AWS."""
    [message] = received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])
    before = len(calls.names)
    arm()
    with suppress(Killed, BotoCoreError):
        relay.gateway.functions["replayer"].handler(sqs_event(message["Body"]), Context())
    calls.no_more_trouble()
    return len(calls.names) - before


def test_a_repeatedly_killed_worker_delays_no_other(
    relay: Relay, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a replay that kills its worker, and another replay of the same site
    site = link("payments", "search")
    for workspace in ("payments", "search"):
        relay.submit(workspace, incidents=[incident(f"of-{workspace}")])
    lose(site)
    ask(relay, site, what="all")
    page = RecordStore.page

    def killing(self: RecordStore, workspace_id: str, *args: Any) -> EntryPage:
        if workspace_id == "payments":
            raise Killed
        return page(self, workspace_id, *args)

    # WHEN it does so every time
    waits = []
    with monkeypatch.context() as patching:
        patching.setattr(RecordStore, "page", killing)
        for _ in range(9):
            for message in received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"]):
                with suppress(Killed):
                    relay.gateway.functions["replayer"].handler(
                        sqs_event(message["Body"]), Context()
                    )
            item = relay.aws.dynamodb.get_item(
                TableName="TenantsTable",
                Key={"pk": {"S": f"tenant#{site.id}"}, "sk": {"S": "replay#payments"}},
            )["Item"]
            waits.append(round((int(item["due"]["N"]) / 1000 - time.time()) / 60))
            # The first one saved that it had reached the walk.
            assert int(item["attempts"]["N"]) == len(waits) - 1
            relay.let_time_pass()
            relay.gateway.functions["sweeper"].handler({}, Context())

    # THEN the other is done, and this one is tried ever less often and says why
    assert progress(relay, site, "search")["state"] == "done"
    assert sequences(site).keys() == {"of-search"}
    assert waits[2:] == [2, 4, 8, 16, 32, 60, 60]
    document = progress(relay, site)
    assert document["state"] == "waiting"
    assert "was cut off 7 times in a row" in document["reason"]

    # AND continues once the cause is gone
    resume(relay)
    assert sequences(site).keys() == {"of-payments", "of-search"}
    assert progress(relay, site)["state"] == "done"
    assert "reason" not in progress(relay, site)


def test_a_replay_of_all_survives_a_break_anywhere(
    relay: Relay,
    site: JiraSite,
    calls: AwsCalls,
    break_off: Callable[[AwsCalls, int], None],
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    for at in range(200):
        lose(site)
        ask(relay, site, what="all")
        made = broken_step(relay, calls, partial(break_off, calls, at))
        resume(relay)
        assert sequences(site).keys() == {"i", "j", "r"}, calls.names[-made:]
        assert site.simulator.site(site.name)["linkedWorkspaces"] == ["payments"]
        document = progress(relay, site)
        assert (document["state"], document["remaining"]) == ("done", 0)
        assert set(states(relay).values()) == {"accepted"}
        if made <= at:
            return
    raise AssertionError("it never went well")


def test_paying_debts_survives_a_break_anywhere(
    relay: Relay,
    site: JiraSite,
    calls: AwsCalls,
    break_off: Callable[[AwsCalls, int], None],
) -> None:
    for at in range(200):
        site.simulator.fail(site.name, DOWN)
        relay.submit("payments", incidents=[incident("i", at + 1)], reviews=[review("r", at + 1)])
        relay.provider("DELETE", "/v1/workspaces/payments/incidents/i" if at % 2 else "/")
        site.simulator.fail(site.name)
        relay.let_time_pass()
        made = broken_step(relay, calls, partial(break_off, calls, at))
        resume(relay)
        relay.run_queue()
        assert sequences(site) == {"r": at + 1} | ({} if at % 2 else {"i": at + 1})
        assert debts(relay, site) == 0
        assert progress(relay, site)["state"] == "done"
        if made <= at:
            return
    raise AssertionError("it never went well")


# --- One at a time ---


def test_two_concurrent_steps_do_the_work_once(
    relay: Relay, site: JiraSite, calls: AwsCalls, function: Callable[..., ModuleType]
) -> None:
    rival = function("replayer")
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    for at in range(0, 200, 2):
        ask(relay, site, what="all")
        forget_calls(site)
        [message] = received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])
        event = sqs_event(message["Body"])
        before = len(calls.names)
        before_call(calls, at, partial(rival.handler, event, Context()))
        relay.gateway.functions["replayer"].handler(event, Context())
        calls.no_more_trouble()
        assert sorted(sent(site)) == [(0, 1), (2, 0)]
        assert progress(relay, site)["state"] == "done"
        if len(calls.names) - before <= at:
            return
    raise AssertionError("it never went well")


def test_a_repeated_message_does_nothing(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    ask(relay, site, what="all")
    [message] = received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])
    for _ in range(2):
        event = sqs_event(message["Body"], message["Body"])
        relay.gateway.functions["replayer"].handler(event, Context())
    assert len(sent(site)) == 2  # the submission's and the replay's


def test_a_replay_started_during_another_replaces_it(
    relay: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    for at in range(0, 200, 2):
        lose(site)
        ask(relay, site, what="all")
        before = len(calls.names)
        before_call(calls, at, lambda: ask(relay, site, what="all"))
        step(relay)
        made = len(calls.names) - before
        calls.no_more_trouble()
        relay.run_replays()
        assert sequences(site).keys() == {"i", "j", "r"}
        document = progress(relay, site)
        assert (document["state"], document["done"], document["total"]) == ("done", 3, 3)
        assert set(states(relay).values()) == {"accepted"}
        if made <= at:
            return
    raise AssertionError("it never went well")


def test_a_replay_that_replaces_a_reinstalls_still_creates_its_links(
    relay: Relay, site: JiraSite
) -> None:
    relay.submit("payments", incidents=[incident("i")])
    site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    site.simulator.fail(site.name, {"kind": "suspended"})
    descriptor = {"descriptorUrl": f"{relay.gateway.url}/atlassian-connect.json"}
    site.simulator.control("POST", f"/sites/{site.name}/install", descriptor).raise_for_status()
    relay.run_replays()
    ask(relay, site, what="owed")
    site.simulator.fail(site.name)
    resume(relay)
    assert site.simulator.site(site.name)["linkedWorkspaces"] == ["payments"]
    assert sequences(site).keys() == {"i"}
    assert progress(relay, site)["state"] == "done"


def test_an_interrupted_debt_note_loses_no_debt(
    relay: Relay, site: JiraSite, calls: AwsCalls, break_off: Callable[[AwsCalls, int], None]
) -> None:
    submitter = relay.gateway.functions["submitter"]
    for at in range(200):
        site.simulator.fail(site.name, DOWN | {"times": 1})
        relay.queue("payments", incidents=[incident("i", at + 1)])
        [message] = relay.waiting()
        before = len(calls.names)
        break_off(calls, at)
        with suppress(Killed, BotoCoreError):
            submitter.handler(sqs_event(message), Context())
        made = len(calls.names) - before
        calls.no_more_trouble()
        relay.let_time_pass()
        assert relay.run_again([message]) == []
        resume(relay)
        assert sequences(site) == {"i": at + 1}
        assert (debts(relay, site), set(states(relay).values())) == (0, {"accepted"})
        if made <= at:
            return
    raise AssertionError("it never went well")


def test_a_debt_noted_during_a_replay_is_paid(
    relay: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    for at in range(0, 200, 2):
        newer = at + 2

        def submit_in_vain(newer: int = newer) -> None:
            site.simulator.fail(site.name, DOWN | {"times": 1})
            assert relay.submit("payments", incidents=[incident("i", newer)]) == []

        ask(relay, site, what="owed")
        before = len(calls.names)
        before_call(calls, at, submit_in_vain)
        step(relay)
        made = len(calls.names) - before
        calls.no_more_trouble()
        resume(relay)
        if made <= at:
            return
        assert sequences(site) == {"i": newer, "j": 1, "r": 1}
        assert (debts(relay, site), progress(relay, site)["state"]) == (0, "done")
        assert set(states(relay).values()) == {"accepted"}
    raise AssertionError("it never went well")


# --- Out of time ---


class Hurried(Context):
    """An invocation whose time runs out after this many looks at the clock."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 60_000 if self.looks >= 0 else 1_000


@pytest.mark.parametrize("looks", range(2, 8))
def test_a_replay_out_of_time_queues_itself_and_resumes(
    relay: Relay, site: JiraSite, looks: int
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    forget_calls(site)
    ask(relay, site, what="all")
    steps = done = 0
    states: list[str] = []
    while messages := step(relay, Hurried(looks)):
        assert messages == 1
        document = progress(relay, site)
        states.append(document["state"])
        assert document["done"] >= done
        assert "reason" not in document
        steps, done = steps + 1, document["done"]
        assert steps < 40
    assert states == ["waiting"] * (steps - 1) + ["done"]
    assert sorted(sent(site)) == [(0, 1), (2, 0)]
    assert sequences(site) == {"i": 2, "j": 2, "r": 2}
    assert steps > 1


def test_a_step_without_time_queues_itself_and_calls_no_site(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    forget_calls(site)
    ask(relay, site, what="all")
    for _ in range(3):
        assert step(relay, Hurried(0)) == 1
    assert site.calls() == []
    relay.run_replays()
    assert sent(site) == [(1, 0)]


# --- Progress ---


def test_progress_is_shown_while_a_replay_runs(
    relay: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    relay.submit("payments", incidents=[incident("i"), incident("j")], reviews=[review("r")])
    seen: list[dict[str, Any]] = []

    def look(operation: str) -> None:
        if operation == "TransactWriteItems":
            calls.no_more_trouble()
            seen.append(progress(relay, site))
            calls.before = look

    ask(relay, site, what="all")
    calls.before = look
    relay.run_replays()
    calls.no_more_trouble()
    assert [
        (one["state"], one["total"], one["done"], one["remaining"], one["refused"]) for one in seen
    ] == [("running", 3, 0, 3, 0), ("running", 3, 2, 1, 0)]
    assert all("endedAt" not in one and "until" not in one for one in seen)
    assert seen[1]["perSecond"] > 0
    document = progress(relay, site)
    assert (document["done"], document["remaining"], document["refused"]) == (3, 0, 0)
    assert document["startedAt"] <= document["updatedAt"] == document["endedAt"]


def test_entities_recorded_after_the_count_are_counted(
    relay: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    relay.submit("payments", incidents=[incident("i")])

    def submit(operation: str) -> None:
        if operation == "TransactWriteItems":
            calls.no_more_trouble()
            relay.submit("payments", reviews=[review("r")])

    ask(relay, site, what="all")
    calls.before = submit
    relay.run_replays()
    document = progress(relay, site)
    assert (document["done"], document["total"], document["remaining"]) == (2, 2, 0)


def test_a_rejected_entity_is_counted_once(relay: Relay, site: JiraSite) -> None:
    # In the order of the record's shards.
    refuse = {"kind": "refuse entity", "pattern": r"\.(bad-2|worse)$"}
    site.simulator.fail(site.name, refuse)
    for team, entity_id in (("a", "bad-2"), ("b", "ok"), ("c", "worse")):
        relay.submit("payments", incidents=[incident(entity_id)], properties={"team": team})
    ask(relay, site, what="all")
    # The site fails after the first of three requests.
    bucket = {"kind": "bucket", "capacity": 2, "perSecond": 0.0001}
    site.simulator.fail(site.name, bucket, refuse)
    relay.run_replays()
    document = progress(relay, site)
    assert (document["state"], document["done"], document["refused"]) == ("waiting", 0, 1)
    site.simulator.fail(site.name, refuse)
    resume(relay)
    document = progress(relay, site)
    assert (document["state"], document["done"], document["refused"]) == ("done", 3, 2)
    assert states(relay) == {"bad-2": "rejected", "ok": "accepted", "worse": "rejected"}


def test_a_waiting_replay_shows_why_and_until_when(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    site.simulator.fail(
        site.name, {"kind": "rate limit", "retryAfter": "1800", "operations": SUBMIT}
    )
    asked_at = time.time()
    ask(relay, site, what="all")
    relay.run_replays()
    document = progress(relay, site)
    assert document["state"] == "waiting"
    assert "429" in document["reason"]
    until = datetime.fromisoformat(document["until"]).timestamp()
    assert asked_at + 1800 - 1 <= until <= time.time() + 1800
    assert (document["done"], document["total"]) == (0, 1)
    assert states(relay) == {"i": "owed"}

    site.simulator.fail(site.name)
    resume(relay)
    document = progress(relay, site)
    assert document["state"] == "done"
    assert document.keys().isdisjoint({"reason", "until"})


def test_an_undelivered_submission_starts_a_replay(relay: Relay, site: JiraSite) -> None:
    site.simulator.fail(site.name, DOWN)
    relay.submit("payments", incidents=[incident("i"), incident("j")])
    document = progress(relay, site)
    assert (document["why"], document["what"], document["state"]) == ("owed", "owed", "waiting")
    assert "503" in document["reason"]
    site.simulator.fail(site.name)
    relay.let_time_pass()
    relay.run_replays()
    document = progress(relay, site)
    assert (document["state"], document["done"], document["total"]) == ("done", 2, 2)


def test_an_answer_of_the_site_wakes_its_other_workspaces_replays(relay: Relay, link: Link) -> None:
    site = link("payments", "search")
    site.simulator.fail(site.name, DOWN | {"retryAfter": "3000"})
    relay.submit("payments", incidents=[incident("p")])
    relay.submit("search", incidents=[incident("s")])
    site.simulator.fail(site.name)
    assert relay.run_replays() == 0  # no queue delays that long
    relay.let_time_pass()
    assert relay.submit("payments", incidents=[incident("q")]) == []
    relay.run_replays()
    assert sequences(site).keys() == {"p", "q", "s"}


def test_a_replay_that_gets_an_answer_wakes_the_others(relay: Relay, link: Link) -> None:
    site = link("payments", "search")
    site.simulator.fail(site.name, DOWN | {"retryAfter": "3000"})
    relay.submit("payments", incidents=[incident("p")])
    relay.submit("search", incidents=[incident("s")])
    site.simulator.fail(site.name)
    relay.let_time_pass()
    # One of them sends no notice.
    ask(relay, site, workspaceId="payments")
    relay.run_replays()
    assert sequences(site).keys() == {"p", "s"}


# --- Linking and unlinking ---


def test_unlinking_ends_a_replay_and_deletes_its_debts(relay: Relay, site: JiraSite) -> None:
    site.simulator.fail(site.name, DOWN)
    relay.submit("payments", incidents=[incident("i")], reviews=[review("r")])
    assert debts(relay, site) == 2
    unlink(relay, site)
    site.simulator.fail(site.name)
    resume(relay)
    assert (debts(relay, site), sequences(site)) == (0, {})
    assert progress(relay, site)["state"] == "done"


def test_a_new_link_delivers_all_with_higher_sequences(relay: Relay, site: JiraSite) -> None:
    """Jira deletes an unlinked workspace's entities asynchronously."""
    relay.submit("payments", incidents=[incident("i", 5)])
    unlink(relay, site)
    relay.submit("payments", incidents=[incident("j", 2)])
    lose(site, keep_sequences=True)
    put_link(relay, site)
    relay.run_replays()
    assert sequences(site) == {"i": 6, "j": 3}
    relay.submit("payments", incidents=[incident("i", 6, summary="newer")])
    assert summaries(site)["i"] == "newer"


def test_linking_a_linked_workspace_starts_nothing(relay: Relay, site: JiraSite) -> None:
    before = progress(relay, site)
    put_link(relay, site)
    assert progress(relay, site) == before
    assert step(relay) == 0


def test_an_interrupted_link_can_be_repeated_and_delivers_all(
    relay: Relay, simulator: Simulator, calls: AwsCalls
) -> None:
    relay.submit("payments", incidents=[incident("i")])
    for at in range(50):
        site = install_from(relay, simulator)
        before = len(calls.names)
        calls.fail(unreachable(), at)
        url = f"/v1/sites/{site.id}/workspaces/payments"
        status = relay.provider("PUT", url).status
        made = len(calls.names) - before
        calls.no_more_trouble()
        if status != 200:
            put_link(relay, site)
        resume(relay)
        assert sequences(site).keys() == {"i"}
        if made <= at:
            return
    raise AssertionError("it never went well")


def test_an_old_message_does_not_end_the_replay_of_an_unfinished_link(
    relay: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    relay.submit("payments", incidents=[incident("i")])
    ask(relay, site, what="all")
    [old] = received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])
    unlink(relay, site)
    lose(site)
    replayer = relay.gateway.functions["replayer"]
    calls.race("TransactWriteItems", lambda: replayer.handler(sqs_event(old["Body"]), Context()))
    put_link(relay, site)
    calls.no_more_trouble()
    relay.run_replays()
    assert sequences(site).keys() == {"i"}
    assert progress(relay, site)["state"] == "done"


def test_an_unfinished_link_leaves_no_work(
    relay: Relay, site: JiraSite, calls: AwsCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink(relay, site)

    def break_off(operation: str) -> None:
        if operation == "TransactWriteItems":
            raise unreachable()

    calls.before = break_off
    assert relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/payments").status == 503
    calls.no_more_trouble()
    monkeypatch.setattr("relay.replays.replayer._LINKING_MS", 0)
    resume(relay)
    assert progress(relay, site)["state"] == "done"


def test_a_link_that_jira_refuses_delays_nothing(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident("i")])
    lose(site)
    refused = {"kind": "error", "status": 400, "operations": ["submitOperationsWorkspaces"]}
    site.simulator.fail(site.name, refused)
    ask(relay, site, what="all")
    relay.run_replays()
    assert sequences(site).keys() == {"i"}
    assert progress(relay, site)["state"] == "done"


# --- Invalid calls ---


def test_an_invalid_replay_is_refused(relay: Relay, site: JiraSite) -> None:
    def refusal(body: Any, of: str = site.id) -> tuple[int, str]:
        answer = relay.provider("POST", f"/v1/sites/{of}/replay", body)
        return answer.status, answer.error_code

    assert refusal({}, "no-such-site") == (404, "unknown_site")
    assert refusal({}, "0" * 32) == (404, "unknown_site")
    assert relay.provider("GET", f"/v1/sites/{'0' * 32}/replay").status == 404
    assert refusal({"workspaceId": "search"}) == (404, "unknown_link")
    assert refusal({"workspaceId": "nowhere"}) == (404, "unknown_link")
    since = {"since": "2026-01-31T09:30:00Z"}
    wrong: tuple[Any, ...] = (
        since | {"what": "all"},
        {"since": "yesterday"},
        {"since": "2026-01-31"},
        {"since": 1},
        {"what": "everything"},
        {"what": "since"},
        {"what": "debts"},
        {"workspaceId": "a b"},
        {"more": 1},
        [],
    )
    for body in wrong:
        assert refusal(body) == (400, "bad_request"), body
    assert relay.provider("POST", f"/v1/sites/{site.id}/replay", b"{").status == 400
    assert progress(relay, site)["why"] == "linked"
    assert step(relay) == 0


def test_a_site_without_the_app_cannot_be_replayed(relay: Relay, site: JiraSite) -> None:
    site.simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    answer = relay.provider("POST", f"/v1/sites/{site.id}/replay", {})
    assert (answer.status, answer.error_code) == (409, "uninstalled")


def test_a_key_for_one_workspace_cannot_start_replays(relay: Relay, site: JiraSite) -> None:
    key = relay.key_for("payments")
    path = f"/v1/sites/{site.id}/replay"
    answer = relay.provider("POST", path, {"workspaceId": "payments"}, key)
    assert (answer.status, answer.error_code) == (403, "forbidden")
    assert progress(relay, site)["why"] == "linked"
    assert relay.provider("GET", path, key=key).json() == relay.provider("GET", path).json()


def test_a_page_of_replays_shows_the_keys_own_linked_workspaces(
    relay: Relay, site: JiraSite
) -> None:
    """A workspace that is no longer linked has a replay, which is not shown."""
    names = ["a", "b", "c", "payments"]
    for workspace in ("a", "b", "c"):
        relay.put_workspace(workspace)
        assert relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}").status == 200
    relay.links.unlink(site.id, "b")
    key = relay.key_for(*names)

    def page(query: str) -> tuple[list[str], str | None]:
        found = relay.provider("GET", f"/v1/sites/{site.id}/replay{query}", key=key).json()
        return [one["workspaceId"] for one in found["replays"]], found.get("next")

    assert page("") == (["a", "c", "payments"], None)
    assert page("?limit=2") == (["a", "c"], "c")
    assert page("?limit=2&after=c") == (["payments"], None)
    key = relay.key_for("b")
    answer = relay.provider("GET", f"/v1/sites/{site.id}/replay", key=key)
    assert (answer.status, answer.error_code) == (404, "unknown_site")


def test_a_site_without_links_has_nothing_to_replay(relay: Relay, simulator: Simulator) -> None:
    site = install_from(relay, simulator)
    assert ask(relay, site, what="all") == []
    assert relay.provider("GET", f"/v1/sites/{site.id}/replay").json() == {"replays": []}
