"""What an operator does with a deployment in years, by the commands of docs/operator.md: an upgrade
under load, a workspace's move and its erasure, and a restored table.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from infra.local.comparison import differences, newest_states
from infra.local.feed import KINDS
from infra.local.screen import Screen
from infra.local.stack import Stack
from infra.local.story import Story
from tests.deploy.operator_stage import (
    Terminal,
    are_replaced,
    code_of,
    named,
    parameters_now,
    parameters_of,
    step,
    steps,
    version_before,
)
from tests.deploy.upgrade_stage import (
    GOLDEN,
    await_all,
    linked_workspaces,
    queue_messages_of_releases,
    states_of,
    submit_all,
)
from tests.deploy.workspace_stage import (
    TABLES,
    associate,
    at_site,
    dead_letters,
    fill,
    in_jira,
    items,
    let_the_wait_end,
    linked,
    listed,
    settle,
)
from tests.e2e.steering import wait_until
from tests.sources.samples import samples
from tests.support.entities import incident, review

PARTS = 6

# --- Upgrade ---


@pytest.fixture(scope="module")
def former(stack: Stack, terminal: Terminal) -> Stack:
    """The stack with the version before, deployed with the parameters of the page's checklist.

    No version before this one has a build here yet. So the version before is this tree's build with
    another number, and with other code of each function: CloudFormation replaces them all, and the
    queue holds the messages of the dumps in `tests/golden`.
    """
    before = code_of(stack)
    terminal.use_build(version_before(stack))
    former = terminal.deploy(*steps("Checklist for production"))
    assert are_replaced(before, code_of(former))
    return former


def test_the_checklists_parameters_are_deployed(former: Stack) -> None:
    now = parameters_now(former)
    assert parameters_of(*steps("Checklist for production")).items() <= now.items()
    assert now["BaseUrl"] == former.api
    alarms = former.aws.cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]
    assert [one["AlarmActions"] for one in alarms] == [[now["AlarmTopicArn"]]] * len(alarms)
    assert len(alarms) > 40


def test_nothing_is_lost_while_every_function_is_replaced(
    former: Stack, terminal: Terminal
) -> None:
    """20,000 entities are in flight. By the page's command, for an upgrade and for a roll-back.

    It is harsher than AWS in one thing: MiniStack kills a function that it replaces, where Lambda
    lets its calls end.
    """
    before, parameters = code_of(former), parameters_now(former)
    _, deploy = step("Deploy", "sam build").split(" && ")
    terminal.use_build(former.folder / "build")
    with linked_workspaces(former) as stories:
        submitted = {workspace: states_of(workspace) for workspace in stories}
        assert sum(map(len, map(newest_states, submitted.values()))) == 20_000
        parts = [
            {workspace: states[part::PARTS] for workspace, states in submitted.items()}
            for part in range(PARTS)
        ]

        # GIVEN a part that the version before has begun to deliver, and what it left in the queue
        submit_all(terminal, parts[0])
        wait_until(lambda: all(story.calls() for story in stories.values()), "it delivers")
        golden = queue_messages_of_releases(former)

        # WHEN this version is deployed during submissions
        with ThreadPoolExecutor(1) as pool:
            upgrade = pool.submit(terminal.deploy, deploy)
            for part in parts[1:-1]:
                submit_all(terminal, part)
            now = upgrade.result()
        submit_all(terminal, parts[-1])

        # THEN every function is replaced, and the parameters are kept
        assert are_replaced(before, code_of(now))
        assert parameters_now(now) == parameters

        # AND Jira and the record have each entity once, in its newest state, and nothing else
        for workspace, story in stories.items():
            expected = newest_states(submitted[workspace] + (golden if workspace == GOLDEN else []))
            await_all(story)
            assert story.wait_for_delivery(len(expected))
            assert differences(expected, story.shown()) == []
            assert story.recorded() == story.delivered() == len(expected)
    assert dead_letters(now) == {}


# --- Moving a workspace ---


@pytest.fixture
def old(stack: Stack) -> Iterator[Story]:
    with linked(stack, "moving-out", "moved") as [story]:
        yield story


@pytest.fixture
def new(other: Terminal) -> Iterator[Story]:
    """The workspace does not exist here yet, but a site does, and another workspace."""
    with linked(other.stack, "moving-in", "other") as [story]:
        tenancy = replace(story.tenancy, workspace_id="moved")
        with Story(other.stack, tenancy, Screen()) as moved:
            yield moved


def test_a_moved_workspace_has_the_same_entities_in_the_other_deployment(
    old: Story, new: Story, terminal: Terminal, other: Terminal
) -> None:
    """By the page's commands, between two deployments, each with an emulated AWS and a Jira."""
    moved = {"payments": "moved"}
    *copy, unlink, link, replay = steps("Move a workspace")
    terminal.configure("OLD", terminal)
    terminal.configure("NEW", other)

    # GIVEN a workspace with entities, one of them deleted
    fill(terminal, "moved", "Checkout")
    terminal.run("relay delete moved inc-0")
    settle(old)

    # WHEN it is copied, both deployments get newer states, and it is copied again
    terminal.run("\n".join(copy), **moved)
    terminal.write("late.jsonl", {"incident": incident("inc-1", 2)}, {"incident": incident("late")})
    terminal.run("relay submit moved late.jsonl")
    other.write("tool.jsonl", {"incident": incident("inc-1", 3)}, {"incident": incident("inc-0")})
    other.run("relay submit moved tool.jsonl")
    settle(new)
    settle(old)
    before = in_jira(old)
    terminal.run("\n".join(copy), **moved)
    terminal.run(unlink, SITE=old.tenancy.site_id, **moved)
    terminal.run(f"{link}\n{replay}", SITE=new.tenancy.site_id, **moved)
    settle(new)

    # THEN its new site has the same, with raised sequences, and the newest; the old one has nothing
    newest = in_jira(new)
    for entity, _ in before.values():
        entity["updateSequenceNumber"] += 1
    assert newest.pop("incident inc-1")[0]["updateSequenceNumber"] == 3 + 1
    assert before.pop("incident inc-1")[0]["updateSequenceNumber"] == 2 + 1
    assert newest == before
    assert len(newest) == 300
    assert [old.jira.entities(old.tenancy.site_name, kind) for kind in KINDS] == [[], []]

    # AND both records have the same but for that state; importing again changes nothing
    record = listed(other, "moved")
    assert record == listed(terminal, "moved") | {"incident inc-1": 3}
    assert record["incident inc-0"] == -1
    calls = len(new.calls())
    terminal.run(copy[-1], **moved)
    settle(new)
    assert listed(other, "moved") == record
    assert len(new.calls()) == calls


# --- Erasing a workspace ---

ERASED, KEPT = "zq7-erased", "zq8-kept"


@pytest.fixture
def two(other: Terminal) -> Iterator[list[Story]]:
    with linked(other.stack, "erasing", KEPT, ERASED) as stories:
        yield stories


def test_nothing_is_left_of_an_erased_workspace(two: list[Story], other: Terminal) -> None:
    # GIVEN two workspaces of one site, with something of each kind
    (kept, erased), stack = two, other.stack
    for story in (erased, kept):
        workspace = story.tenancy.workspace_id
        source = fill(other, workspace, f"Words-of-{workspace}")
        httpx.post(source, json=samples("alertmanager")["firing"]).raise_for_status()
        settle(story)
        associate(story)
        other.run(
            f"""
            relay delete {workspace} inc-0
            relay keys make --workspace {workspace}
            export RELAY_WEBHOOK_SECRET=whsec_{"A" * 32}
            relay workspaces webhook put {workspace} https://ops.example.com/hook
            """
        )
        settle(story)
    key = erased.ids().key
    assert len(at_site(erased, key)) > 300
    assert {one.partition(":")[0] for one in items(stack, ERASED, key)} == set(TABLES)
    before = items(stack, KEPT), in_jira(kept)

    # WHEN one is erased
    other.run(f"{named('Erase', 'relay workspaces erase WORKSPACE')} --yes", WORKSPACE=ERASED)
    progress = f"{named('Erase', 'relay workspaces erasure WORKSPACE')} --json"

    def is_done() -> bool:
        let_the_wait_end(stack, ERASED)
        return bool(json.loads(other.run(progress, WORKSPACE=ERASED))["stage"] == "done")

    wait_until(is_done, "the workspace is erased")

    # THEN nothing of it is in any table or in Jira, and the other one is as it was
    assert items(stack, ERASED, key) == []
    assert at_site(kept, key) == []
    assert (items(stack, KEPT), in_jira(kept)) == before
    assert dead_letters(stack) == {}


# --- A restored table ---


@pytest.fixture
def story(other: Terminal) -> Iterator[Story]:
    with linked(other.stack, "restoring", "restored") as [story]:
        yield story


def test_a_restored_record_and_jira_come_together(story: Story, other: Terminal) -> None:
    first = [{"incident": incident(one, summary="First")} for one in ("same", "changed", "gone")]
    other.write("first.jsonl", *first, {"review": review(summary="First")})
    newer = [incident("changed", 2, summary="Second"), incident("late", summary="Second")]
    newest = [{"incident": one} for one in newer] + [{"review": review(sequence=2)}]
    other.write("newest.jsonl", *newest)

    # GIVEN a record at a point in time, and what followed
    other.run("relay submit restored first.jsonl")
    settle(story)
    # The emulated AWS restores to now, whatever the time is.
    record = other.stack.deployment.outputs["RecordTable"]
    tables = {"OLD": record, "NEW": f"{record}-restored"}
    other.run(step("Restore", "aws dynamodb restore-table"), **tables)
    other.run("relay submit restored newest.jsonl\nrelay delete restored gone")
    settle(story)
    shown, recorded = in_jira(story), listed(other, "restored")
    assert set(shown) == {"incident same", "incident changed", "incident late", "review rev-1"}

    # WHEN the restored table is deployed, by the page's steps
    assert "ACTIVE" in other.run(step("Restore", "aws dynamodb describe-table"), **tables)
    now = other.deploy(step("Restore", "sam deploy"), **tables)
    settings = [one for one in steps("Existing data") if one.startswith("aws dynamodb")]
    other.run("\n".join(settings), NAME=tables["NEW"])
    assert listed(other, "restored") != recorded
    assert in_jira(story) == shown
    delete, submit = (named("Restore", f"relay {word}") for word in ("delete", "submit"))
    other.run(f"{delete} restored gone\n{submit} restored newest.jsonl")
    settle(story)
    other.run(named("Restore", "relay replay SITE"), SITE=story.tenancy.site_id)

    # THEN the record and Jira are what they were before the restore, and go on
    assert listed(other, "restored") == recorded
    assert in_jira(story) == shown
    named("Restore", "relay list WORKSPACE --state owed")
    assert listed(other, "restored", "--state owed") == {}
    confirm = named("Restore", "relay status WORKSPACE ENTITY_ID --confirm")
    said = other.run(f"{confirm} --json", WORKSPACE="restored", ENTITY_ID="changed")
    [site] = json.loads(said)["sites"]
    assert (site["state"], site["jira"]["updateSequenceNumber"]) == ("accepted", 2)
    other.write("third.jsonl", {"incident": incident("changed", 3, summary="Third")})
    other.run("relay submit restored third.jsonl")
    settle(story)
    assert in_jira(story)["incident changed"][0]["summary"] == "Third"
    assert dead_letters(now) == {}
