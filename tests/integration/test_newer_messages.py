"""A message in a format of a newer version, as a deployment or a roll-back leaves it, is refused
without loss.
"""

import base64
import json
import zlib
from dataclasses import asdict
from typing import Any

import pytest

from relay.queues.formats import NewerFormat
from relay.queues.notices import Notice, parse_notice
from relay.queues.replays import parse_task
from relay.queues.submissions import parse_message
from tests.integration.relay_stage import JiraSite, Relay
from tests.integration.replays_stage import received
from tests.support.entities import incident
from tests.support.lambdas import Context, sqs_event

REASON = "a newer one sent it, in format 2"


def newer(body: str) -> str:
    """The JSON of a message in the next format, with a field that this version does not know."""
    return json.dumps(json.loads(body) | {"format": 2, "news": True})


def newer_submission(body: str) -> str:
    content = zlib.decompress(base64.b64decode(body)).decode()
    return base64.b64encode(zlib.compress(newer(content).encode())).decode()


def receive(relay: Relay, *bodies: str, times: int) -> list[str]:
    """Let the submitter receive these; return those that return."""
    event = sqs_event(*bodies)
    for record in event["Records"]:
        record["attributes"] = {"ApproximateReceiveCount": str(times)}
    answer = relay.gateway.functions["submitter"].handler(event, Context())
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    return [body for number, body in enumerate(bodies) if f"message-{number}" in failed]


def test_a_submission_returns_until_it_is_a_dead_letter(relay: Relay, site: JiraSite) -> None:
    relay.queue("payments", incidents=[incident("later")])
    [known] = relay.waiting()
    body = newer_submission(known)
    relay.queue("payments", incidents=[incident("now")])
    [beside] = relay.waiting()

    assert receive(relay, body, beside, times=1) == [body]
    assert site.held("incident").keys() == {"now"}
    for times in (2, 3, 4):
        assert receive(relay, body, times=times) == [body]
        assert relay.dead_letters() == []

    assert receive(relay, body, times=5) == []
    [letter] = relay.dead_letters()
    assert letter["Body"] == body
    assert REASON in letter["MessageAttributes"]["reason"]["StringValue"]
    # What the newer version reads in it, once it is redriven.
    assert receive(relay, known, times=1) == []
    assert site.held("incident").keys() == {"now", "later"}


def test_a_replays_task_returns(relay: Relay, site: JiraSite) -> None:
    answer = relay.provider("POST", f"/v1/sites/{site.id}/replay", {"what": "all"})
    assert answer.status == 202
    [message] = received(relay.aws, relay.aws.environment["REPLAYS_QUEUE"])

    # SQS redelivers what the function fails on, and moves it to the dead letters at last.
    with pytest.raises(NewerFormat, match=REASON):
        relay.gateway.functions["replayer"].handler(sqs_event(newer(message["Body"])), Context())


def test_a_notice_returns(relay: Relay) -> None:
    content = {"id": "n-1", "workspace_id": "payments", "event": "entity.associated"}
    body = json.dumps(content | {"format": 2, "at": "2026-11-28T09:00:00Z", "data": {}})
    answer = relay.gateway.functions["webhooks"].handler(sqs_event(body), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}


def test_a_notice_without_a_format_is_one_of_the_first() -> None:
    notice = Notice("n-1", "payments", "entity.associated", "2026-11-28T09:00:00Z", {})
    assert parse_notice(json.dumps(asdict(notice))) == notice


@pytest.mark.parametrize("parse", [parse_message, parse_task, parse_notice])
@pytest.mark.parametrize("given", ["null", '"2"', "2.5", "true", "-1", f"1{'0' * 5000}"])
def test_no_other_value_is_a_format(parse: Any, given: str) -> None:
    body = f'{{"format": {given}}}'
    if parse is parse_message:
        body = base64.b64encode(zlib.compress(body.encode())).decode()
    with pytest.raises(ValueError, match="not a message") as raised:
        parse(body)
    assert not isinstance(raised.value, NewerFormat)
