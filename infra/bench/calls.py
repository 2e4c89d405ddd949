"""`make bench-calls`: how many requests a thousand entities cost, and how few they could."""

import json
from math import ceil
from typing import Any

import boto3

from infra.bench.aws_calls import by_service, counted
from infra.bench.figures import Figure
from infra.bench.result import Result, Table, at_most, number
from infra.bench.sample import incidents, sqs_event
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, http_event, load

SERVICES = ("jira", "dynamodb", "sqs", "kms")
_BATCH = 1000
_TRANSACTION = 100
# What is asked of the tables at least once per invocation: which sites the workspace is linked to,
# and how those stand.
_READS = 2


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    total = sizes.calls
    per_submission = [size for size in (1, 100, 1000) if size <= total]
    counts: dict[int, dict[str, int]] = {}
    for size in per_submission:
        place = stand.place("calls")
        stand.screen.say(f"calls: {total} incidents in submissions of {size} …")
        stand.stage.jira.forget_calls()
        counts[size] = stand.run(
            "infra.bench.calls:measure",
            workspace_id=place.workspace_id,
            api_key=stand.stage.api_key,
            queue=stand.stage.environment["SUBMISSIONS_QUEUE"],
            total=total,
            size=size,
        )
        counts[size]["jira"] = len(stand.stage.jira.calls())
        stand.check_delivered(place, total, 1)
    return _result(counts, total)


def measure(workspace_id: str, api_key: str, queue: str, total: int, size: int) -> dict[str, int]:
    """Requests to each service of AWS; run as a subject."""
    sqs = boto3.client("sqs")
    counts = counted()
    submissions, submitter = load("submissions"), load("submitter")
    path = f"/v1/workspaces/{workspace_id}/submissions"
    headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
    for first in range(0, total, size):
        body = json.dumps({"incidents": list(incidents(size, first=first))})
        answer = submissions.handler(http_event("POST", path, body, headers), Context())
        if answer["statusCode"] != 202:
            raise RuntimeError(f"A submission was answered {answer['statusCode']}.")
    submitted = by_service(counts)
    counts.clear()
    if submitter.handler(sqs_event(drained(sqs, queue)), Context())["batchItemFailures"]:
        raise RuntimeError("The submitter did not take all of its messages.")
    return {f"{name}, in": count for name, count in submitted.items()} | by_service(counts)


def drained(sqs: Any, queue: str) -> list[str]:
    """The bodies of what is in the queue: AWS's own part of it."""
    bodies = []
    while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in found]
        entries = [
            {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
            for place, message in enumerate(found)
        ]
        sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    return bodies


def least(total: int, size: int) -> dict[str, int]:
    """What no way could do without: a submission is known to be allowed and is queued before it is
    answered; a state is recorded where it is newer, and its outcome kept, by hundreds."""
    submissions = ceil(total / size)
    return {
        "jira": ceil(total / _BATCH),
        "dynamodb, in": submissions,
        "dynamodb": 2 * ceil(total / _TRANSACTION) + _READS,
        "sqs, in": submissions,
        "sqs": 0,
        "kms": 1,
    }


def _result(counts: dict[int, dict[str, int]], total: int) -> Result:
    rows, worst = [], dict.fromkeys(SERVICES, 0.0)
    facts: dict[str, float] = {}
    for size, found in counts.items():
        floor = least(total, size)
        cells = []
        for service in SERVICES:
            made = found.get(service, 0) + found.get(f"{service}, in", 0)
            needed = floor[service] + floor.get(f"{service}, in", 0)
            worst[service] = max(worst[service], made / needed if needed else 1.0)
            cells.append(f"{made} of {needed}")
        rows.append([str(size), *cells])
        facts |= {f"{name} at {size}": float(count) for name, count in found.items()}
    split = [
        [str(size), *(str(found.get(name, 0)) for name in least(total, size))]
        for size, found in counts.items()
    ]
    columns = ("entities per submission", "Jira", "DynamoDB", "SQS", "KMS")
    parts = ("entities per submission", *least(total, 1))
    return Result(
        "calls",
        "Calls",
        f"{number(total)} incidents come in submissions of one size, and are brought to one site"
        " in one invocation, as the queue's batch and window bring them. Requests to AWS are"
        " counted where botocore sends them, repeated ones too, Jira's by the simulator. The"
        " queue's own reads and deletes are AWS's and not in it.",
        [
            Table("Requests, made of needed", columns, rows),
            Table("Where they are made (“in” is the submission's function)", parts, split),
        ],
        [
            at_most("Jira", _exact(worst["jira"]), 1.0),
            at_most("DynamoDB, the worst size", _exact(worst["dynamodb"]), 1.2),
            at_most("SQS, the worst size", _exact(worst["sqs"]), 1.2),
        ],
        notes=[
            "Needed: for each submission one read that proves its key and its workspace, and one"
            " message; for each delivery the sites, how they stand, and a transaction per hundred"
            " states and per hundred outcomes; one decryption of the site's secret.",
        ],
        facts=facts,
    )


def _exact(value: float) -> Figure:
    return Figure(value, value, value, 1)
