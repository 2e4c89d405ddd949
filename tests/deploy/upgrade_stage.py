"""Two sites with four workspaces, and the 20,000 entities that are submitted to them."""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from random import Random

from infra.local.feed import State, parse_states
from infra.local.stack import Stack
from infra.local.story import DELIVERY_SECONDS, Story
from relay import keys
from relay.queues.submissions import parse_message
from relay.table import key, to_item
from tests.deploy.operator_stage import Terminal
from tests.deploy.workspace_stage import linked, sweep
from tests.e2e.steering import Steering, wait_until
from tests.golden.dump import messages_of, versions
from tests.golden.messages import SUBMISSIONS, body_of
from tests.support.entities import incident, review

# The workspaces of each site. The dumps' messages are of the first workspace.
SITES = {"acme": ("payments", "search"), "globex": ("shipping", "billing")}
GOLDEN = "payments"
INCIDENTS, REVIEWS = 4950, 50
# Every fifth entity has a second state.
CHANGED = 5
# Longer than a function needs for what it receives at once, and shorter than the test.
REDELIVERY_SECONDS = 15
# Of the command: Relay did not confirm everything.
UNAVAILABLE = 3


@contextmanager
def linked_workspaces(stack: Stack) -> Iterator[dict[str, Story]]:
    """The story of each workspace. Messages of killed functions return soon."""
    with ExitStack() as opened:
        opened.callback(Steering(stack).redeliver_after(REDELIVERY_SECONDS))
        linking = (linked(stack, site, *workspaces) for site, workspaces in SITES.items())
        stories = chain.from_iterable(map(opened.enter_context, linking))
        yield {story.tenancy.workspace_id: story for story in stories}


def states_of(workspace: str) -> list[State]:
    """The states of a workspace's entities, in no order; workspaces share their ids."""
    lines = []
    for number in range(INCIDENTS + REVIEWS):
        for sequence in (1, 2) if number % CHANGED == 0 else (1,):
            summary = f"{workspace} {number} {sequence}"
            if number < INCIDENTS:
                lines.append({"incident": incident(f"inc-{number}", sequence, summary=summary)})
            else:
                lines.append({"review": review(f"rev-{number}", sequence, summary=summary)})
    Random(workspace).shuffle(lines)  # noqa: S311 - an order, no secret
    return parse_states(map(json.dumps, lines), workspace)


def queue_messages_of_releases(stack: Stack) -> list[State]:
    """Send the messages that released versions wrote; returns the states in them."""
    lines = []
    for version in versions():
        for sent in messages_of(version):
            if sent["queue"] != SUBMISSIONS:
                continue
            body = body_of(sent["queue"], sent["content"])
            message = parse_message(body)
            assert message.workspace_id == GOLDEN
            stack.aws.sqs.send_message(
                QueueUrl=stack.deployment.outputs["SubmissionsQueue"],
                MessageBody=body,
                MessageGroupId=GOLDEN,
            )
            lines += [json.dumps({one.kind.value: one.entity}) for one in message.states]
    return parse_states(lines, "golden")


def submit_all(terminal: Terminal, parts: Mapping[str, list[State]]) -> None:
    """Submit a part of each workspace, side by side."""
    with ThreadPoolExecutor(len(parts)) as pool:
        sent = [pool.submit(_submit, terminal, *part) for part in parts.items()]
    for one in sent:
        one.result()


def _submit(terminal: Terminal, workspace: str, states: list[State]) -> None:
    """As a tool does: what Relay has not confirmed is submitted again."""
    terminal.write(f"{workspace}.jsonl", *({one.kind: one.entity} for one in states))

    command = (
        f"relay submit {workspace} {workspace}.jsonl >&2 && echo done || [ $? = {UNAVAILABLE} ]"
    )
    wait_until(lambda: terminal.run(command), "Relay accepts the submission")


def await_all(story: Story) -> None:
    """Wait until all that was accepted is recorded and delivered.

    What the submitter had no time for is owed. A replayer that MiniStack killed holds the replay
    for three minutes, which are ended for one that has not moved for as long as a killed
    submitter's messages wait.
    """
    replays = f"/v1/sites/{story.tenancy.site_id}/replay"

    def is_done() -> bool:
        if story.waiting():
            return False
        found = story.relay.http.get(replays).raise_for_status().json()["replays"]
        running = [one["workspaceId"] for one in found if one["state"] != "done"]
        for workspace in running:
            _end_lease(story, workspace)
            sweep(story.stack)
        return not running

    wait_until(is_done, "all is delivered", DELIVERY_SECONDS)


def _end_lease(story: Story, workspace: str) -> None:
    dynamodb = story.stack.aws.dynamodb
    before = int((time.time() - REDELIVERY_SECONDS) * 1000)
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.update_item(
            TableName=story.stack.deployment.outputs["TenantsTable"],
            Key=key(*keys.replay(story.tenancy.site_id, workspace)),
            UpdateExpression="SET leased = :none, due = :none",
            ConditionExpression="stage <> :done AND leased > :none AND updatedAt < :before",
            ExpressionAttributeValues=to_item({":none": 0, ":done": "done", ":before": before}),
        )
