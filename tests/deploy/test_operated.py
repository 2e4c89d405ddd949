"""What an operator does with a deployment in years, by the commands of docs/operator.md: an upgrade
under load, a workspace's move and its erasure, and a restored table.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from infra.local.comparison import differences, newest_states
from infra.local.feed import KINDS
from infra.local.screen import Screen
from infra.local.stack import Options, Stack
from infra.local.story import Story
from tests.deploy.operator_stage import (
    TABLES,
    are_replaced,
    code_of,
    dead_letters,
    deployed_with,
    deployment,
    items,
    named,
    restored_copy,
    run_aws,
    steps,
    terminal_of,
    upgraded,
    version_before,
)
from tests.deploy.upgrade_stage import (
    GOLDEN,
    REDELIVERY_SECONDS,
    await_all,
    linked_workspaces,
    queue_messages_of_releases,
    states_of,
    submit_all,
)
from tests.deploy.workspace_stage import (
    associate,
    at_site,
    fill,
    in_jira,
    let_the_wait_end,
    linked,
    listed,
    settle,
)
from tests.e2e.steering import Steering, wait_until
from tests.sources.samples import samples
from tests.support.entities import incident, review

PARTS = 6


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A deployment of the version before, and of this one once it was upgraded."""
    folder = tmp_path_factory.mktemp("builds")
    options = Options(parameters={}, build=lambda: version_before(folder))
    with deployment(options) as running:
        yield running


@pytest.fixture(scope="module")
def current() -> Iterator[Stack]:
    """A deployment of this version, with every function's IAM policy enforced."""
    with deployment(Options(enforce_iam=True, parameters={})) as running:
        yield running


# --- Upgrade ---


def test_nothing_is_lost_while_every_function_is_replaced(former: Stack, tmp_path: Path) -> None:
    """20,000 entities are in flight.

    No version before this one has a build here yet. So the version before is this tree's build with
    another number, and with other code of each function: CloudFormation replaces them all, and the
    queue holds the messages of the dumps in `tests/golden`. It is harsher than AWS in one thing:
    MiniStack kills a function that it replaces, where Lambda lets its calls end.
    """
    before = code_of(former)
    Steering(former).redeliver_after(REDELIVERY_SECONDS)
    with linked_workspaces(former) as stories:
        terminal = terminal_of(tmp_path, stories[GOLDEN])
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
            upgrade = pool.submit(upgraded, former)
            for part in parts[1:-1]:
                submit_all(terminal, part)
            now = upgrade.result()
        submit_all(terminal, parts[-1])

        # THEN every function is replaced
        assert are_replaced(before, code_of(now))

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
def old(former: Stack) -> Iterator[Story]:
    with linked(former, "moving-out", "moved") as [story]:
        yield story


@pytest.fixture
def new(current: Stack) -> Iterator[Story]:
    """The workspace does not exist here yet, but a site does, and another workspace."""
    with linked(current, "moving-in", "other") as [other]:
        tenancy = replace(other.tenancy, workspace_id="moved")
        with Story(current, tenancy, Screen()) as story:
            yield story


def test_a_moved_workspace_has_the_same_entities_in_the_other_deployment(
    old: Story, new: Story, tmp_path: Path
) -> None:
    """By the page's commands, between two deployments, each with an emulated AWS and a Jira."""
    moved = {"payments": "moved"}
    *copy, unlink, link = steps("Move a workspace")
    at_old, at_new = terminal_of(tmp_path, old, "OLD"), terminal_of(tmp_path, new, "NEW")

    # GIVEN a workspace with entities, one of them deleted
    fill(at_old, "moved", "Checkout")
    at_old.run("relay delete moved inc-0")
    settle(old)

    # WHEN it is copied, both deployments get newer states, and it is copied again
    for command in copy:
        at_old.run(command, **moved)
    at_old.write("late.jsonl", {"incident": incident("inc-1", 2)}, {"incident": incident("late")})
    at_old.run("relay submit moved late.jsonl")
    at_new.write("tool.jsonl", {"incident": incident("inc-1", 3)}, {"incident": incident("inc-0")})
    at_new.run("relay submit moved tool.jsonl")
    settle(new)
    settle(old)
    before = in_jira(old)
    for command in copy:
        at_old.run(command, **moved)
    at_old.run(unlink, SITE=old.tenancy.site_id, **moved)
    at_old.run(link, SITE=new.tenancy.site_id, **moved)
    settle(new)

    # THEN its new site has what the old one had, and the newest state; the old one has nothing
    newest = in_jira(new)
    assert newest.pop("incident inc-1")[0]["updateSequenceNumber"] == 3
    assert before.pop("incident inc-1")[0]["updateSequenceNumber"] == 2
    assert newest == before
    assert len(newest) == 300
    assert [old.jira.entities(old.tenancy.site_name, kind) for kind in KINDS] == [[], []]

    # AND both records have the same but for that state; importing again changes nothing
    record = listed(at_new, "moved")
    assert record == listed(at_old, "moved") | {"incident inc-1": 3}
    assert record["incident inc-0"] == -1
    calls = len(new.calls())
    at_old.run(copy[-1], **moved)
    settle(new)
    assert listed(at_new, "moved") == record
    assert len(new.calls()) == calls


# --- Erasing a workspace ---

ERASED, KEPT = "zq7-erased", "zq8-kept"


@pytest.fixture
def two(current: Stack) -> Iterator[list[Story]]:
    with linked(current, "erasing", KEPT, ERASED) as stories:
        yield stories


def test_nothing_is_left_of_an_erased_workspace(
    current: Stack, two: list[Story], tmp_path: Path
) -> None:
    # GIVEN two workspaces of one site, with something of each kind
    kept, erased = two
    terminal = terminal_of(tmp_path, erased)
    for story in (erased, kept):
        workspace = story.tenancy.workspace_id
        source = fill(terminal, workspace, f"Words-of-{workspace}")
        httpx.post(source, json=samples("alertmanager")["firing"]).raise_for_status()
        settle(story)
        associate(story)
        terminal.run(
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
    assert {one.partition(":")[0] for one in items(current, ERASED, key)} == set(TABLES)
    before = items(current, KEPT), in_jira(kept)

    # WHEN one is erased
    terminal.run(f"{named('Erase', 'relay workspaces erase WORKSPACE')} --yes", WORKSPACE=ERASED)
    progress = f"{named('Erase', 'relay workspaces erasure WORKSPACE')} --json"

    def is_done() -> bool:
        let_the_wait_end(current, ERASED)
        return bool(json.loads(terminal.run(progress, WORKSPACE=ERASED))["stage"] == "done")

    wait_until(is_done, "the workspace is erased")

    # THEN nothing of it is in any table or in Jira, and the other one is as it was
    assert items(current, ERASED, key) == []
    assert at_site(kept, key) == []
    assert (items(current, KEPT), in_jira(kept)) == before
    assert dead_letters(current) == {}


# --- A restored table ---


@pytest.fixture
def story(current: Stack) -> Iterator[Story]:
    with linked(current, "restoring", "restored") as [story]:
        yield story


def test_a_restored_record_and_jira_come_together(
    current: Stack, story: Story, tmp_path: Path
) -> None:
    terminal = terminal_of(tmp_path, story)
    first = [{"incident": incident(one, summary="First")} for one in ("same", "changed", "gone")]
    terminal.write("first.jsonl", *first, {"review": review(summary="First")})
    newer = [incident("changed", 2, summary="Second"), incident("late", summary="Second")]
    newest = [{"incident": one} for one in newer] + [{"review": review(sequence=2)}]
    terminal.write("newest.jsonl", *newest)

    # GIVEN a record at a point in time, and what followed
    terminal.run("relay submit restored first.jsonl")
    settle(story)
    copy = restored_copy(current, current.deployment.outputs["RecordTable"])
    terminal.run("relay submit restored newest.jsonl\nrelay delete restored gone")
    settle(story)
    shown, recorded = in_jira(story), listed(terminal, "restored")
    assert set(shown) == {"incident same", "incident changed", "incident late", "review rev-1"}

    # WHEN the restored table is deployed, by the page's steps
    template = current.folder / "build" / "template.yaml"
    now = deployed_with(current, template, RecordTableName=copy)
    for command in steps("Existing data"):
        if command.startswith("aws dynamodb"):
            run_aws(command, now.aws, NAME=copy)
    assert listed(terminal, "restored") != recorded
    assert in_jira(story) == shown
    for command in ("relay submit", "relay delete"):
        named("Restore", command)
    terminal.run("relay delete restored gone\nrelay submit restored newest.jsonl")
    settle(story)
    terminal.run(named("Restore", "relay replay SITE"), SITE=story.tenancy.site_id)

    # THEN the record and Jira are what they were before the restore, and go on
    assert listed(terminal, "restored") == recorded
    assert in_jira(story) == shown
    named("Restore", "relay list WORKSPACE --state owed")
    assert listed(terminal, "restored", "--state owed") == {}
    confirm = named("Restore", "relay status WORKSPACE ENTITY_ID --confirm")
    said = terminal.run(f"{confirm} --json", WORKSPACE="restored", ENTITY_ID="changed")
    [site] = json.loads(said)["sites"]
    assert (site["state"], site["jira"]["updateSequenceNumber"]) == ("accepted", 2)
    terminal.write("third.jsonl", {"incident": incident("changed", 3, summary="Third")})
    terminal.run("relay submit restored third.jsonl")
    settle(story)
    assert in_jira(story)["incident changed"][0]["summary"] == "Third"
    assert dead_letters(now) == {}
