"""Workspaces with something of each kind, and what Jira, the tables and the queues have of them."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

from infra.local.feed import KINDS
from infra.local.first_tenant import WORKSPACE, set_up
from infra.local.screen import Screen
from infra.local.stack import Stack
from infra.local.story import Story
from relay import keys
from relay.entities.workspace_ids import WORKSPACE_PROPERTY
from relay.table import key as table_key
from relay.table import to_item
from tests.deploy.operator_stage import Terminal
from tests.e2e.steering import wait_until
from tests.support.entities import incident, review

TABLES = ("TenantsTable", "CatalogTable", "RecordTable", "ApiKeysTable")


@contextmanager
def linked(stack: Stack, site: str, *workspaces: str) -> Iterator[list[Story]]:
    """The stories of workspaces at a new site, after their links' own replays."""
    tenancy = set_up(stack, site, workspaces[0])
    with ExitStack() as opened:
        stories = [
            opened.enter_context(Story(stack, replace(tenancy, workspace_id=one), Screen()))
            for one in workspaces
        ]
        for story in stories[1:]:
            story.relay.put_workspace(story.tenancy.workspace_id, WORKSPACE)
            story.relay.link(tenancy.site_id, story.tenancy.workspace_id)
        await_replays(stories[0])
        yield stories


def await_replays(story: Story) -> None:
    """Wait until no replay of the story's site is left."""
    path = f"/v1/sites/{story.tenancy.site_id}/replay"

    def are_done() -> bool:
        replays = story.relay.http.get(path).raise_for_status().json()["replays"]
        return all(replay["state"] == "done" for replay in replays)

    wait_until(are_done, "the site's replays are done")


def fill(terminal: Terminal, workspace: str, word: str) -> str:
    """Let a workspace have something of each kind; returns the URL of its source."""
    incidents = (incident(f"inc-{number}", summary=f"{word} {number}") for number in range(300))
    states = [{"incident": one} for one in incidents]
    terminal.write("feed.jsonl", *states, {"review": review(summary=f"About {word}")})
    made = terminal.run(
        f"""
        relay submit {workspace} feed.jsonl --property team={word} >&2
        relay containers put {workspace} checkout-api --name {word} --url https://ops.example.com
        relay sources add {workspace} alerts --kind alertmanager --json
        """
    )
    return str(json.loads(made[made.index("{") :])["url"])


def settle(story: Story) -> None:
    """Wait until all that was accepted is recorded and delivered."""
    wait_until(lambda: not story.waiting(), "the queue is empty")
    await_replays(story)
    assert story.wait_for_delivery(0)


def in_jira(story: Story) -> dict[str, Any]:
    """The workspace's entities at its site, each with its properties but for Relay's own."""
    ids = story.ids()
    return {
        f"{kind} {own['id']}": (own, properties | {WORKSPACE_PROPERTY: ""})
        for kind in KINDS
        for entity, properties in story.jira.with_properties(story.tenancy.site_name, kind)
        if (own := ids.own_entity(entity))
    }


def listed(terminal: Terminal, workspace: str, options: str = "--all") -> dict[str, Any]:
    """The sequence of each recorded entity, or -1 if it is deleted."""
    found = json.loads(terminal.run(f"relay list {workspace} {options} --json"))["entities"]
    return {
        f"{one['kind']} {one['id']}": -1 if one["deleted"] else one["updateSequenceNumber"]
        for one in found
    }


def associate(story: Story) -> None:
    body = {"entity": {"id": story.ids().at_site("inc-1")}, "associatedWith": {"id": "10001"}}
    assert story.jira.call_action(story.tenancy.site_name, "onEntityAssociated", body) == 204


def at_site(story: Story, key: str) -> list[str]:
    """The ids at the story's site that begin with a workspace's key."""
    entities = (story.jira.entities(story.tenancy.site_name, kind) for kind in KINDS)
    return [one["id"] for found in entities for one in found if one["id"].startswith(f"{key}.")]


def let_the_wait_end(stack: Stack, workspace: str) -> None:
    """An erasure waits for three minutes until every call under way has ended; here, none is."""
    with suppress(stack.aws.dynamodb.exceptions.ConditionalCheckFailedException):
        stack.aws.dynamodb.update_item(
            TableName=stack.deployment.outputs["CatalogTable"],
            Key=table_key(*keys.erasure(workspace)),
            UpdateExpression="SET due = :none",
            ConditionExpression="attribute_exists(erasing) AND leased <= :now AND due > :now",
            ExpressionAttributeValues=to_item({":none": 0, ":now": int(time.time() * 1000)}),
        )
    sweep(stack)


def sweep(stack: Stack) -> None:
    """What EventBridge does every few minutes."""
    sweeper = stack.deployment.functions["SweeperFunction"]
    stack.aws.functions.invoke(FunctionName=sweeper, Payload=b"{}")


def dead_letters(stack: Stack) -> dict[str, int]:
    """The number of messages in each queue of dead letters that has any."""
    found = {}
    for output, url in stack.deployment.outputs.items():
        if output.endswith("DeadLetters"):
            known = stack.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            found[output] = int(known["Attributes"]["ApproximateNumberOfMessages"])
    return {output: count for output, count in found.items() if count}


def items(stack: Stack, *words: str) -> list[str]:
    """The items of all tables with any of these words in them, whatever their attributes."""
    scan = stack.aws.dynamodb.get_paginator("scan")
    found = (
        f"{table}: {sorted(item.items())}"
        for table in TABLES
        for page in scan.paginate(TableName=stack.deployment.outputs[table])
        for item in page["Items"]
    )
    return sorted(item for item in found if any(word in item for word in words))
