"""docs/operator.md as a runbook: each command of its blocks is run on a stack, in the page's order,
and what it changes is looked up in Relay, in Jira or in AWS. Those for an upgrade, a move, an
erasure and a restored table are in `test_operated.py`.
"""

import json
import re
import shlex
from collections.abc import Iterator

import httpx
import pytest
from standardwebhooks import Webhook

from infra.local.first_tenant import SITE_NAME, WORKSPACE_ID
from infra.local.routes import create_routes
from infra.local.screen import Screen
from infra.local.senders.signing import SIGNATURES
from infra.local.stack import Stack
from infra.local.story import Story
from tests.deploy.operator_stage import Terminal, blocks, parameters_now, step, steps
from tests.deploy.runbook_stage import (
    adopted_names,
    dead,
    delete_kept,
    delivers,
    redrive,
    running,
    shown_ids,
)
from tests.deploy.workspace_stage import TABLES, linked, sweep
from tests.e2e.states import await_replay, incidents
from tests.e2e.steering import WAIT_SECONDS, wait_until
from tests.integration.webhook_stage import Hook, https_hook
from tests.sources.samples import samples
from tests.support.entities import incident


# As the stack's: its removal comes after the tests of other modules.
@pytest.fixture(scope="session")
def story(stack: Stack) -> Iterator[Story]:
    with linked(stack, SITE_NAME, WORKSPACE_ID) as [story]:
        yield story


@pytest.fixture
def hook() -> Iterator[Hook]:
    with https_hook(None) as hook:
        yield hook


def test_the_relay_command_is_configured(terminal: Terminal, story: Story) -> None:
    export, doctor, *_ = steps("Configure the `relay` command")
    values = re.sub(r"RELAY_URL=\S+", f"RELAY_URL={story.stack.api}", export)
    values = re.sub(r"RELAY_KEY=\S+", f"RELAY_KEY={story.tenancy.api_key}", values)

    assert "dead letters" in terminal.run(f"{values}\n{doctor}")
    assert "dead letters" in terminal.run("relay doctor")


# --- Rotate a secret ---

SECRETS = "Rotate a secret"


def test_an_api_key_is_rotated(stack: Stack, terminal: Terminal, story: Story) -> None:
    workspace = story.tenancy.workspace_id
    make = step(SECRETS, "relay keys make")
    old, new = (terminal.run(make, WORKSPACE=workspace).strip() for _ in range(2))

    def answered(key: str) -> int:
        url = f"{stack.api}/v1/workspaces/{workspace}"
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.get(url, headers=headers, timeout=35, trust_env=False).status_code

    assert (answered(old), answered(new)) == (200, 200)
    key_id = old.split("_")[1]
    assert key_id in terminal.run(step(SECRETS, "relay keys list"))
    terminal.run(step(SECRETS, "relay keys revoke"), KEY_ID=key_id)
    assert (answered(old), answered(new)) == (401, 200)


def test_a_sources_url_and_secret_are_rotated(terminal: Terminal, story: Story) -> None:
    which = {"WORKSPACE": story.tenancy.workspace_id, "SOURCE": "pages"}
    document = {"kind": "pagerduty", "secret": "the first secret"}
    first = story.relay.put_source(which["WORKSPACE"], which["SOURCE"], document)["url"]
    body = json.dumps(next(iter(samples("pagerduty").values()))).encode()

    def answered(url: str, secret: str) -> int:
        headers = SIGNATURES["pagerduty"](body, secret) | {"Content-Type": "application/json"}
        answer = httpx.post(url, content=body, headers=headers, timeout=35, trust_env=False)
        return answer.status_code

    assert answered(first, "the first secret") == 202

    second = terminal.run(step(SECRETS, "relay sources renew-url"), **which).strip()
    assert [answered(url, "the first secret") for url in (first, second)] == [401, 202]

    (terminal.folder / "FILE").write_text("the second secret\n")
    terminal.run(step(SECRETS, "relay sources secret"), **which)
    assert answered(second, "the first secret") == 401
    assert answered(second, "the second secret") == 202


def test_a_webhooks_secret_is_rotated(terminal: Terminal, story: Story, hook: Hook) -> None:
    which = {"WORKSPACE": story.tenancy.workspace_id, "URL": hook.url}
    put = step(SECRETS, "relay workspaces webhook put")
    secrets = [terminal.run(put, **which).strip() for _ in range(2)]
    assert len(set(secrets)) == 2

    terminal.run(step(SECRETS, "relay workspaces webhook test"), **which)

    [received] = hook.received
    Webhook(secrets[1]).verify(received.body, received.headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(secrets[0]).verify(received.body, received.headers)


def test_a_sites_secret_is_rotated_by_a_reinstall(
    stack: Stack, terminal: Terminal, story: Story
) -> None:
    name = story.tenancy.site_name
    delivers(story, "before-the-reinstall")
    before = story.jira.site(name)["sharedSecret"]

    story.jira.http.post(f"/sites/{name}/uninstall").raise_for_status()
    assert story.jira.entities(name, "incident") == []
    story.jira.install(name, f"{stack.api}/atlassian-connect.json")

    site = {"SITE": story.tenancy.site_id}

    def is_active() -> bool:
        """A replay may call the site before it has Relay's answer: then it is refused once."""
        sweep(stack)
        return "active" in terminal.run(step(SECRETS, "relay sites show"), **site)

    wait_until(is_active, "the site is active", 2 * WAIT_SECONDS)
    terminal.run(step(SECRETS, "relay replays"), **site)
    assert story.jira.site(name)["sharedSecret"] != before
    delivers(story, "after-the-reinstall")
    assert "before-the-reinstall" in shown_ids(story)


# --- Restore ---


def test_deliveries_are_stopped_and_started_for_a_restore(
    stack: Stack, terminal: Terminal, story: Story
) -> None:
    """The steps between them are in `test_operated.py` and `test_restore.py`."""
    stop, _, submitter, rest = blocks("Restore")
    functions, _ = stop.split("for id in", 1)

    terminal.run(stop)
    assert running(stack) == {False}
    story.submit(incidents(incident("during-the-restore")))
    terminal.run(functions + submitter)
    assert running(stack) == {False, True}
    wait_until(lambda: "during-the-restore" in shown_ids(story), "the submitter delivers")
    terminal.run(functions + rest)
    assert running(stack) == {True}


# --- Dead letters ---


def test_dead_letters_of_submissions(stack: Stack, terminal: Terminal, story: Story) -> None:
    with dead(stack, "Submissions", "SubmitterSource"):
        story.submit(incidents(incident("was-dead")))
    assert "was-dead" not in shown_ids(story)

    redrive(terminal, "submissions")

    wait_until(lambda: "was-dead" in shown_ids(story), "the incident arrives")


def test_dead_letters_of_replays(stack: Stack, terminal: Terminal, story: Story) -> None:
    with dead(stack, "Replays", "ReplayerSource"):
        terminal.run(f"relay replay {story.tenancy.site_id} --all --no-wait")

    redrive(terminal, "replays")

    await_replay(story)


def test_dead_letters_of_notices(
    stack: Stack, terminal: Terminal, story: Story, hook: Hook
) -> None:
    terminal.run(f"relay workspaces webhook put {story.tenancy.workspace_id} {hook.url}")
    delivers(story, "noticed")
    at_site = story.ids().at_site("noticed")
    body = {"entity": {"id": at_site}, "associatedWith": {"id": "10001"}}
    with dead(stack, "Notices", "WebhooksSource"):
        assert story.jira.call_action(story.tenancy.site_name, "onEntityAssociated", body) == 204
    assert hook.received == []

    redrive(terminal, "notices")

    wait_until(lambda: hook.received, "the notice arrives")


# --- Remove it, deploy it again, and delete what is left ---


def test_a_removed_stack_is_deployed_again_and_then_leaves_nothing(
    stack: Stack, terminal: Terminal, story: Story
) -> None:
    listing, removal, *deletions = steps("Remove it")
    delivers(story, "before-the-removal")
    shown, sites = story.shown(), {site["id"] for site in story.relay.sites()}
    adopted = adopted_names(terminal)

    # GIVEN what the page lists before the stack is deleted
    kept = [line.split("\t") for line in terminal.run(listing).splitlines()]
    kinds = sorted(kind.rpartition("::")[2] for kind, _ in kept)
    assert kinds == ["Key"] + ["Queue"] * 8 + ["Table"] * 4
    before = parameters_now(stack)
    terminal.run(removal, answers="y\ny\ny\n")
    assert stack.aws.functions.list_functions()["Functions"] == []

    # WHEN it is deployed again on its tables and its key
    overrides = " ".join(f"{name}={shlex.quote(v)}" for name, v in (before | adopted).items() if v)
    again = terminal.deploy(f"sam deploy --parameter-overrides {overrides}")
    create_routes(stack.aws, again.deployment.resources)

    # THEN it has these instead of its own, and its data is there
    assert set(adopted.values()) <= set(again.deployment.outputs.values())
    assert not {*TABLES, "SecretsKey"} & again.deployment.resources.keys()
    with Story(again, story.tenancy, Screen()) as found:
        assert {site["id"] for site in found.relay.sites()} == sites
        assert found.shown() == shown
        delivers(found, "after-the-removal")

    # AND what is left of a removed stack can be deleted
    for command in steps("Existing data"):
        if command.startswith("aws dynamodb update"):
            terminal.run(command, NAME=adopted["TenantsTableName"])
    terminal.run(removal, answers="y\ny\ny\n")
    delete_kept(terminal, kept, deletions)
    assert stack.aws.dynamodb.list_tables()["TableNames"] == []
    assert stack.aws.sqs.list_queues().get("QueueUrls", []) == []
