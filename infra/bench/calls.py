"""`make bench-calls`: the number of requests for a thousand entities, and the minimum."""

import json
from math import ceil

import boto3

from infra.bench.aws_calls import counted
from infra.bench.messages import submit
from infra.bench.result import Result, Table, at_most, exact
from infra.bench.sample import incidents
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.harness.drain import drain
from infra.lambdas.runtime import Context, http_event, load, sqs_event

_BATCH = 1000
_TRANSACTION = 100
# An invocation must read the workspace's links and the state of the linked sites.
_READS = 2


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Counts requests for submissions of 1, 100 and 1000 entities."""
    total = sizes.calls
    counts: dict[int, dict[str, int]] = {}
    for size in (size for size in (1, 100, 1000) if size <= total):
        place = stand.place("calls")
        stand.screen.say(f"calls: {total} incidents in submissions of {size} …")
        stand.stage.jira.forget_calls()
        counts[size] = stand.run(
            "calls:measure",
            workspace_id=place["workspace_id"],
            api_key=stand.stage.api_key,
            queue=stand.stage.environment["SUBMISSIONS_QUEUE"],
            total=total,
            size=size,
        )
        counts[size]["jira"] = len(stand.stage.jira.calls())
        stand.check_delivered(place, total, 1)
    return _result(counts, total)


def measure(workspace_id: str, api_key: str, queue: str, total: int, size: int) -> dict[str, int]:
    """Requests to each service of AWS, in a new process; `, in` marks those of the API."""
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
    submitted = {f"{name}, in": count for name, count in counts.items()}
    counts.clear()
    submit(submitter, sqs_event(one["Body"] for one in drain(sqs, queue)))
    return submitted | counts


def least(total: int, size: int) -> dict[str, int]:
    """The minimum number of requests.

    Each submission is authorized and queued before it is answered. Newer states and outcomes are
    written in transactions of a hundred.
    """
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
    rows, worst = [], {"jira": 0.0, "dynamodb": 0.0, "sqs": 0.0}
    for size, found in counts.items():
        floor = least(total, size)
        rows.append([str(size), *(f"{found.get(part, 0)} of {floor[part]}" for part in floor)])
        for service in worst:
            actual, minimum = (
                one.get(service, 0) + one.get(f"{service}, in", 0) for one in (found, floor)
            )
            worst[service] = max(worst[service], actual / minimum)
    title = "Requests, actual of minimum (“in” is the submissions function)"
    return Result(
        [Table(title, ("entities per submission", *least(total, 1)), rows)],
        [
            at_most("Jira", exact(worst["jira"]), 1.0),
            at_most("DynamoDB, the worst size", exact(worst["dynamodb"]), 1.2),
            at_most("SQS, the worst size", exact(worst["sqs"]), 1.2),
        ],
    )
