"""A message that cannot be processed affects no other, becomes a dead letter, and can be
redriven.
"""

import base64
import json
import math
import time
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from relay import keys
from relay.entities.model import EntityKey, EntityState, Kind
from relay.queues.submissions import INFLATED_BYTES_MAX, Message, packed
from relay.table import key as table_key
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.entities import incident
from tests.support.lambdas import Context, sqs_event

GIVEN_UP_AFTER = 5
TEXT = "Xq7-of-a-customer"


@pytest.fixture
def stage(start: Start, simulator: Simulator) -> Relay:
    return start("payments", "search", simulator=simulator)


@pytest.fixture
def site(stage: Relay, simulator: Simulator) -> JiraSite:
    """Both workspaces are linked to it."""
    site = install_from(stage, simulator)
    for workspace in ("payments", "search"):
        answer = stage.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
        assert answer.status == 200, answer.body
    stage.run_replays()
    return site


def message_of(stage: Relay, workspace: str, **entities: Any) -> str:
    """The only message of a submission."""
    stage.queue(workspace, **entities)
    [body] = stage.waiting()
    return body


def receive(stage: Relay, *bodies: str, times: int = 1) -> list[str]:
    """Let the submitter receive these messages together, each with this receive count;
    return those that return.
    """
    event = sqs_event(*bodies)
    for record in event["Records"]:
        record["attributes"] = {"ApproximateReceiveCount": str(times)}
    answer = stage.gateway.functions["submitter"].handler(event, Context())
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    return [body for number, body in enumerate(bodies) if f"message-{number}" in failed]


def receive_until_given_up(stage: Relay, body: str) -> dict[str, Any]:
    """Receive the message until it becomes a dead letter; return that."""
    for times in range(1, GIVEN_UP_AFTER):
        assert receive(stage, body, times=times) == [body]
        assert stage.dead_letters() == []
    assert receive(stage, body, times=GIVEN_UP_AFTER) == []
    [letter] = stage.dead_letters()
    return letter


def attributes_of(letter: dict[str, Any]) -> dict[str, str]:
    return {
        name: value["StringValue"] for name, value in letter.get("MessageAttributes", {}).items()
    }


def break_entry(stage: Relay, entity_id: str, workspace: str = "payments") -> None:
    """Put invalid JSON into the record of this entity, so that reading it fails."""
    stage.aws.dynamodb.put_item(
        TableName=stage.aws.environment["RECORD_TABLE"],
        Item=_entry_key(entity_id, workspace)
        | {
            "seq": {"N": "100"},
            "entity": {"S": '{"id": '},
            "recordedAt": {"S": "2026-01-31T09:30:00+00:00"},
        },
    )


def mend_entry(stage: Relay, entity_id: str, workspace: str = "payments") -> None:
    stage.aws.dynamodb.delete_item(
        TableName=stage.aws.environment["RECORD_TABLE"], Key=_entry_key(entity_id, workspace)
    )


def _entry_key(entity_id: str, workspace: str) -> Any:
    entity = EntityKey(Kind.INCIDENT, entity_id)
    return table_key(*keys.entities(workspace).key_of(entity))


def held(site: JiraSite) -> dict[str, int]:
    return {
        entity_id: entity["updateSequenceNumber"]
        for entity_id, entity in site.held("incident").items()
    }


def bulks(site: JiraSite) -> list[int]:
    """The number of incidents in each submission to the site."""
    calls = site.simulator.calls(site.name)
    return [call["incidents"] for call in calls if call["path"].endswith("/1.0/bulk")]


# --- Unreadable messages ---


def lacking(*fields: str) -> str:
    """A message whose entity lacks these fields; no submission produces it."""
    entity = incident("lacking", summary=TEXT, description=TEXT)
    kept = {name: value for name, value in entity.items() if name not in fields}
    ((_, body),) = packed(Message("payments", "c", (EntityState(Kind.INCIDENT, kept),)))
    return body


def inflating_to(size: int) -> str:
    return base64.b64encode(zlib.compress(b'{"x":"' + b"x" * size + b'"}')).decode()


UNREADABLE = {
    "words": "junk",
    "no deflate": "AAAA",
    "no ASCII": "é🔥",
    "more than Relay ever sends, once it is inflated": inflating_to(INFLATED_BYTES_MAX),
    "an entity without a status": lacking("status"),
    "an entity without anything": lacking("status", "lastUpdated", "updateSequenceNumber"),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_message_becomes_a_dead_letter_and_the_rest_is_done(
    stage: Relay, site: JiraSite, body: str
) -> None:
    good = [
        message_of(stage, "payments", incidents=[incident("i")]),
        message_of(stage, "search", incidents=[incident("j")]),
    ]

    assert receive(stage, good[0], body, good[1]) == []

    assert held(site) == {"i": 1, "j": 1}
    [letter] = stage.dead_letters()
    assert letter["Body"] == body
    assert "not a message" in attributes_of(letter)["reason"]
    assert TEXT not in json.dumps(attributes_of(letter))


def test_a_long_reason_is_cut(stage: Relay) -> None:
    """A reason names each invalid field, whose name may be long."""
    content = {"format": 1, "properties": {f"{number}".ljust(99, "x"): 1 for number in range(9)}}
    body = base64.b64encode(zlib.compress(json.dumps(content).encode())).decode()

    assert receive(stage, body) == []

    [letter] = stage.dead_letters()
    assert len(attributes_of(letter)["reason"]) == 500


def test_a_truncated_message_becomes_a_dead_letter(stage: Relay, site: JiraSite) -> None:
    whole = message_of(stage, "payments", incidents=[incident("i", summary=TEXT)])

    for length in (4, len(whole) // 8 * 4, len(whole) - 16):
        assert receive(stage, whole[:length]) == []
        [letter] = stage.dead_letters()
        assert letter["Body"] == whole[:length]

    assert held(site) == {}
    assert receive(stage, whole) == []
    assert held(site) == {"i": 1}


def test_a_message_returns_if_its_dead_letter_cannot_be_written(
    stage: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    good = message_of(stage, "payments", incidents=[incident("i")])

    def before(operation: str) -> None:
        if operation == "SendMessage":
            raise client_error("ServiceUnavailable")

    calls.before = before
    assert receive(stage, "junk", good) == ["junk"]
    assert held(site) == {"i": 1}

    calls.no_more_trouble()
    assert receive(stage, "junk") == []
    assert [letter["Body"] for letter in stage.dead_letters()] == ["junk"]


# --- Poison messages ---


def test_a_poison_message_fails_no_other(stage: Relay, site: JiraSite) -> None:
    """In its own workspace or another, before it or after it."""
    break_entry(stage, "bad")
    bodies = [
        message_of(stage, "payments", incidents=[incident("a")]),
        message_of(stage, "payments", incidents=[incident("bad"), incident("with-it")]),
        message_of(stage, "search", incidents=[incident("b")]),
        message_of(stage, "payments", incidents=[incident("c")]),
    ]

    assert receive(stage, *bodies) == [bodies[1]]

    assert held(site) == {"a": 1, "b": 1, "c": 1}
    assert stage.dead_letters() == []


@pytest.mark.parametrize("place", [0, 13, 31])
def test_a_poison_message_is_found_by_halving_in_few_calls(
    stage: Relay, site: JiraSite, place: int
) -> None:
    break_entry(stage, "i-bad")
    ids = [f"i-{number}" for number in range(32)]
    ids[place] = "i-bad"
    bodies = [message_of(stage, "payments", incidents=[incident(one)]) for one in ids]

    assert receive(stage, *bodies) == [bodies[place]]

    assert held(site).keys() == set(ids) - {"i-bad"}
    assert sum(bulks(site)) == 31
    assert len(bulks(site)) <= math.log2(32)


def test_a_fifth_failure_makes_a_dead_letter_with_details(stage: Relay, site: JiraSite) -> None:
    break_entry(stage, "bad")
    answer = stage.call(
        "POST",
        "/v1/workspaces/payments/submissions",
        {"incidents": [incident("bad", summary=TEXT, description=TEXT)]},
        {
            "authorization": f"Bearer {stage.api_key}",
            "content-type": "application/json",
            "x-correlation-id": "deploy-7",
        },
    )
    assert answer.status == 202
    [body] = stage.waiting()

    letter = receive_until_given_up(stage, body)

    assert letter["Body"] == body
    known = attributes_of(letter)
    assert known.keys() == {"reason", "workspaceId", "correlationId"}
    assert (known["workspaceId"], known["correlationId"]) == ("payments", "deploy-7")
    # The kind of failure and where the log has the rest, but no text of the entity.
    assert "ValueError" in known["reason"]
    assert "message-0" in known["reason"]
    assert TEXT not in json.dumps(known)
    assert held(site) == {}


def test_among_good_messages_only_the_poison_message_becomes_a_dead_letter(
    stage: Relay, site: JiraSite
) -> None:
    break_entry(stage, "bad")
    bad = message_of(stage, "payments", incidents=[incident("bad")])
    good = [message_of(stage, "payments", incidents=[incident(one)]) for one in "abc"]

    assert receive(stage, good[0], bad, *good[1:], times=GIVEN_UP_AFTER) == []

    assert [letter["Body"] for letter in stage.dead_letters()] == [bad]
    assert held(site) == {"a": 1, "b": 1, "c": 1}


def test_a_failing_workspace_does_not_delay_another(stage: Relay, site: JiraSite) -> None:
    """The replay of one link cannot be read: every delivery of that link fails."""
    table = stage.aws.environment["TENANTS_TABLE"]
    key: Any = {"pk": {"S": f"tenant#{site.id}"}, "sk": {"S": "replay#payments"}}
    replay = stage.aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
    stage.aws.dynamodb.put_item(TableName=table, Item=replay | {"stage": {"S": "no such stage"}})
    bodies = [
        message_of(stage, "payments", incidents=[incident("i")]),
        message_of(stage, "search", incidents=[incident("j")]),
    ]

    assert receive(stage, *bodies) == [bodies[0]]
    assert held(site) == {"j": 1}

    stage.aws.dynamodb.put_item(TableName=table, Item=replay)
    assert receive(stage, bodies[0], times=2) == []
    assert held(site) == {"i": 1, "j": 1}


def test_a_failure_of_aws_is_retried_without_a_limit(
    stage: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    body = message_of(stage, "payments", incidents=[incident("i")])

    def before(operation: str) -> None:
        if operation == "TransactWriteItems":
            raise client_error("InternalServerError")

    calls.before = before
    for times in (1, GIVEN_UP_AFTER, 19):
        assert receive(stage, body, times=times) == [body]
    assert stage.dead_letters() == []

    calls.no_more_trouble()
    assert receive(stage, body, times=20) == []
    assert held(site) == {"i": 1}


def test_a_dead_letter_that_cannot_be_written_is_written_at_the_next_failure(
    stage: Relay, site: JiraSite, calls: AwsCalls
) -> None:
    break_entry(stage, "bad")
    body = message_of(stage, "payments", incidents=[incident("bad")])

    def before(operation: str) -> None:
        if operation == "SendMessage":
            raise client_error("ServiceUnavailable")

    calls.before = before
    assert receive(stage, body, times=GIVEN_UP_AFTER) == [body]
    calls.no_more_trouble()
    assert receive(stage, body, times=GIVEN_UP_AFTER + 1) == []
    assert [letter["Body"] for letter in stage.dead_letters()] == [body]
    assert held(site) == {}


# --- Redrive ---


def send_back(stage: Relay, letter: dict[str, Any]) -> None:
    """Redrive the letter and let the submitter handle it; no message returns."""
    queue = stage.aws.environment["SUBMISSIONS_QUEUE"]
    stage.aws.sqs.send_message(
        QueueUrl=queue, MessageBody=letter["Body"], MessageGroupId="payments"
    )
    assert stage.run_queue() == []


def test_after_a_fix_the_message_succeeds(stage: Relay, site: JiraSite) -> None:
    break_entry(stage, "bad")
    body = message_of(stage, "payments", incidents=[incident("bad"), incident("with-it")])
    letter = receive_until_given_up(stage, body)
    mend_entry(stage, "bad")

    send_back(stage, letter)

    assert held(site) == {"bad": 1, "with-it": 1}
    assert bulks(site) == [2]


def test_a_state_that_a_site_has_is_not_sent_again(stage: Relay, site: JiraSite) -> None:
    break_entry(stage, "bad")
    body = message_of(stage, "payments", incidents=[incident("bad"), incident("with-it")])
    letter = receive_until_given_up(stage, body)
    mend_entry(stage, "bad")
    # The operations tool submitted it again meanwhile.
    stage.submit("payments", incidents=[incident("with-it"), incident("bad")])

    for _ in range(3):
        send_back(stage, letter)

    assert bulks(site) == [2]
    assert held(site) == {"bad": 1, "with-it": 1}


STEPS: Sequence[tuple[str, ...]] = (
    ("newer",),
    ("delete",),
    ("newer", "delete"),
    ("delete", "newer"),
    ("newer", "delete", "newest"),
)


def test_a_late_message_restores_no_old_or_deleted_state(stage: Relay, site: JiraSite) -> None:
    """Between any two steps, and repeatedly: Jira and the record are as if it had not arrived."""
    cases = {
        f"{'-'.join(steps)}-{turn}": (steps, turn)
        for steps in STEPS
        for turn in range(len(steps) + 1)
    }
    letters = {}
    for entity_id in cases:
        break_entry(stage, entity_id)
        body = message_of(stage, "payments", incidents=[incident(entity_id)])
        assert receive(stage, body, times=GIVEN_UP_AFTER) == []
        [letters[entity_id]] = stage.dead_letters()
        mend_entry(stage, entity_id)

    for entity_id, (steps, turn) in cases.items():
        for number, step in enumerate(steps):
            if number == turn:
                send_back(stage, letters[entity_id])
            take(stage, entity_id, step)
        if turn == len(steps):
            send_back(stage, letters[entity_id])

    # And all of them again, a while later.
    before = bulks(site)
    for letter in letters.values():
        send_back(stage, letter)
    stage.let_delays_pass()
    assert stage.run_queue() == []

    sequences = {"newer": 2, "newest": 3}
    expected = {
        entity_id: sequences[steps[-1]]
        for entity_id, (steps, _) in cases.items()
        if steps[-1] != "delete"
    }
    assert held(site) == expected
    assert bulks(site) == before
    for entity_id in cases:
        entity = stage.provider("GET", f"/v1/workspaces/payments/incidents/{entity_id}").json()
        assert entity["deleted"] == (entity_id not in expected)
        if entity_id in expected:
            assert entity["updateSequenceNumber"] == expected[entity_id]


def take(stage: Relay, entity_id: str, step: str) -> None:
    # What is accepted within the same millisecond counts as accepted before.
    time.sleep(0.002)
    if step == "delete":
        answer = stage.provider("DELETE", f"/v1/workspaces/payments/incidents/{entity_id}")
        assert answer.status == 202
        assert stage.run_queue() == []
    else:
        sequence = 2 if step == "newer" else 3
        assert stage.submit("payments", incidents=[incident(entity_id, sequence)]) == []


def test_a_late_deletion_does_not_delete_a_newer_state(stage: Relay, site: JiraSite) -> None:
    stage.submit("payments", incidents=[incident("i")])
    stage.provider("DELETE", "/v1/workspaces/payments/incidents/i")
    [deletion] = stage.waiting()
    assert receive(stage, deletion) == []
    assert held(site) == {}
    time.sleep(0.002)
    stage.submit("payments", incidents=[incident("i", 2)])

    send_back(stage, {"Body": deletion})

    assert held(site) == {"i": 2}
