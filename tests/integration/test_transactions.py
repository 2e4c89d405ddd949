"""Transactions that DynamoDB cancels, throttles or refuses, in several threads."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import relay.table
from relay import keys
from relay.catalog.erasures import ErasureStore
from relay.catalog.services import ServiceStore
from relay.delivery.session import CALL_SECONDS
from relay.entities.model import EntityState, Kind
from relay.errors import Unavailable
from relay.provider.recording import SubmissionRecorder
from relay.provider.services import ServiceContainers
from relay.queues.submissions import Message
from relay.record.receipts import ReceiptStore
from relay.record.store import RecordStore
from tests.support.aws import Aws
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.entities import incident

TABLE = "RecordTable"
FAILED, THROTTLED = "ConditionalCheckFailed", "ThrottlingError"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay.table, "_BACKOFF_SECONDS", 0)


@pytest.fixture
def record(aws: Aws) -> RecordStore:
    return RecordStore(aws.dynamodb, TABLE)


def states(count: int, sequence: int = 1) -> list[EntityState]:
    return [EntityState(Kind.INCIDENT, incident(f"i{number}", sequence)) for number in range(count)]


def states_of_one_partition(count: int, partition: int = 0) -> list[EntityState]:
    """States whose items have the same pk: the first or the second of two shards."""
    shards = keys.entities("w")
    pk = shards.pks[partition]
    return [state for state in states(40) if shards.key_of(state.key)[0] == pk][:count]


def cancel(aws: Aws, *answers: list[str]) -> list[list[str]]:
    """Let DynamoDB cancel the next transactions for these reasons. Returns the ids of all."""
    waiting = list(answers)
    sent: list[list[str]] = []

    def answer(params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]] | None:
        actions = json.loads(params["body"])["TransactItems"]
        sent.append([one["Update"]["Key"]["sk"]["S"].partition("#")[2] for one in actions])
        if not waiting:
            return None
        reasons = [{"Code": code} for code in waiting.pop(0)]
        for reason, action in zip(reasons, actions, strict=True):
            if reason["Code"] == FAILED:
                reason |= {"Item": recorded(action["Update"])}
        error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        return SimpleNamespace(status_code=400), error

    events: Any = aws.dynamodb.meta.events
    events.register("before-call.dynamodb.TransactWriteItems", answer)
    return sent


def recorded(update: dict[str, Any]) -> Any:
    """An item with the same state as this update would write."""
    values = update["ExpressionAttributeValues"]
    names = update["ExpressionAttributeNames"]
    found = {name: values.get(f":{place[1:]}") for place, name in names.items()}
    return update["Key"] | {name: value for name, value in found.items() if value}


def test_of_a_transaction_cancelled_for_several_reasons_only_the_refused_are_left_out(
    record: RecordStore, aws: Aws
) -> None:
    sent = cancel(
        aws,
        [FAILED, THROTTLED, "TransactionConflict", "None"],
        [THROTTLED, "TransactionConflict", "None"],
        ["None", FAILED, "None"],
    )
    found = record.put_newest("w", states_of_one_partition(4))
    first, second, third, fourth = sent[0]
    assert sent == [
        [first, second, third, fourth],
        [second, third, fourth],
        [second, third, fourth],
        [second, fourth],
    ]
    assert {state.key.id for state in found.same} == {first, third}
    assert {state.key.id for state in found.new} == {second, fourth}
    assert {head.key.id for head in record.heads("w")} == {second, fourth}


def test_what_is_throttled_is_repeated_by_partition(record: RecordStore, aws: Aws) -> None:
    """So that a throttled partition neither delays the others, nor uses up what they accept."""
    ours, theirs = states_of_one_partition(3), states_of_one_partition(2, partition=1)
    first, *more = (state.key.id for state in ours)
    sent = cancel(
        aws,
        [THROTTLED] + ["None"] * 4,
        ["None", FAILED, "None"],
        [THROTTLED, "None"],
    )
    found = record.put_newest("w", [*ours, *theirs])
    assert sent == [
        [first, *more, *(state.key.id for state in theirs)],
        [first, *more],
        [first, more[1]],
        [first, more[1]],
        [state.key.id for state in theirs],
    ]
    assert [state.key.id for state in found.same] == [more[0]]


@pytest.mark.parametrize("seconds", [0, -1, -1e9])
def test_without_time_left_each_transaction_is_tried_once(
    record: RecordStore, aws: Aws, seconds: float
) -> None:
    sent = cancel(aws, [THROTTLED] * 3)
    with pytest.raises(Unavailable):
        record.put_newest("w", states(3), seconds)
    assert len(sent) == 1
    assert len(record.put_newest("w", states(3), seconds).new) == 3


def test_threads_may_each_have_made_botocores_classes_of_errors(
    record: RecordStore, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore makes them at the first error, without a lock."""

    def made_again(client: Any) -> Any:
        return client._exceptions_factory._create_client_exceptions(client.meta.service_model)

    record.put_newest("w", states(3))
    monkeypatch.setattr(type(aws.dynamodb), "exceptions", property(made_again))
    assert len(record.put_newest("w", states(3)).same) == 3


def test_a_throttled_record_leaves_the_time_for_a_call_to_jira(
    record: RecordStore, aws: Aws, calls: AwsCalls
) -> None:
    recorder = SubmissionRecorder(
        record,
        ReceiptStore(aws.dynamodb, TABLE),
        ServiceContainers(ServiceStore(aws.dynamodb, "CatalogTable"), components_on=False),
        ErasureStore(aws.dynamodb, "CatalogTable"),
    )

    def throttle(_: str) -> None:
        raise client_error("ThrottlingException")

    calls.before = throttle
    message = Message("w", "c", tuple(states(1)))
    with pytest.raises(Unavailable):
        recorder.record("w", [message], lambda: CALL_SECONDS + 1)
    assert calls.names == ["TransactWriteItems"]


def test_a_transaction_that_dynamodb_finds_invalid_is_sent_once_more_and_refused(
    record: RecordStore, calls: AwsCalls
) -> None:
    def refuse(operation: str) -> None:
        if operation == "TransactWriteItems":
            raise client_error("ValidationException")

    calls.before = refuse
    with pytest.raises(ClientError, match="ValidationException"):
        record.put_newest("w", states(3))
    assert calls.names == ["TransactWriteItems"] * 2
