"""What the procedures of docs/operator.md change, and where that is looked up."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.stack import Stack
from infra.local.story import Story
from tests.deploy.operator_stage import Terminal, steps, text_of
from tests.e2e.states import incidents
from tests.e2e.steering import wait_until
from tests.support.entities import incident


def adopted_names(terminal: Terminal) -> dict[str, str]:
    """The parameters that adopt what the stack uses, by the table of the page."""
    [describe] = [one for one in steps("Existing data") if "describe-stacks" in one]
    outputs = dict(line.split("\t") for line in terminal.run(describe).splitlines())
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", text_of("Existing data"), flags=re.MULTILINE)
    assert len(rows) == 5
    return {parameter: outputs[output] for parameter, output in rows}


def delete_kept(terminal: Terminal, kept: list[list[str]], deletions: list[str]) -> None:
    """Delete what a removed stack has left: kinds of resources with their names."""
    words = {"AWS::DynamoDB::Table": "NAME", "AWS::SQS::Queue": "URL", "AWS::KMS::Key": "ID"}
    for kind, name in kept:
        for command in deletions:
            if words[kind] in command.split():
                terminal.run(command, **{words[kind]: name})


@contextmanager
def dead(stack: Stack, queue: str, source: str) -> Iterator[None]:
    """What the block sends to the queue becomes a dead letter instead of being processed."""
    functions, sqs = stack.aws.functions, stack.aws.sqs
    mapping = stack.deployment.resources[source]
    outputs = stack.deployment.outputs
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    yield
    moved = []

    def is_moved() -> bool:
        answer = sqs.receive_message(
            QueueUrl=outputs[f"{queue}Queue"],
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            sqs.send_message(
                QueueUrl=outputs[f"{queue}DeadLetters"],
                MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}),
            )
            sqs.delete_message(
                QueueUrl=outputs[f"{queue}Queue"], ReceiptHandle=message["ReceiptHandle"]
            )
            moved.append(message["MessageId"])
        return bool(moved)

    wait_until(is_moved, f"a message is in the queue {queue}")
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def running(stack: Stack) -> set[bool]:
    """Whether each queue has its function, or only some or none."""
    found = stack.aws.functions.list_event_source_mappings()["EventSourceMappings"]
    return {one["State"] in ("Enabled", "Enabling") for one in found}


def shown_ids(story: Story) -> set[str]:
    """The ids of the workspace's incidents at the site."""
    return {one["id"] for one in story.shown()["incident"]}


def delivers(story: Story, name: str) -> None:
    """Submit an incident; it arrives at the site."""
    story.submit(incidents(incident(name)))
    assert story.wait_for_delivery(1)
    assert name in shown_ids(story)


def redrive(terminal: Terminal, queue: str) -> None:
    """Send the only dead letter of a queue back by the page's commands."""
    listing, command = (
        one for one in steps("Dead letters") if one.partition("--queue ")[2].startswith(queue)
    )

    def listed() -> int:
        return len(json.loads(terminal.run(f"{listing} --json"))["letters"])

    assert listed() == 1
    terminal.run(command)
    assert listed() == 0
