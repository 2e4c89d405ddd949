"""A message that kills its function becomes a dead letter, and no other message does."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import relay.table
from infra.harness.subject import run_subject
from infra.local.environment import bare_environment
from infra.local.failure import StackFailure
from infra.local.paths import ROOT
from relay.entities.model import EntityState, Kind
from relay.queues.submissions import Message, packed
from relay.record.attempts import AttemptStore
from relay.record.store import RecordStore
from tests.integration.replays_stage import received
from tests.support.aws import REGION, Aws
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.aws_server import aws_server
from tests.support.entities import incident
from tests.support.killed_submitter import KILLER
from tests.support.lambdas import APP_KEY, BASE_URL, Context, variables_of
from tests.support.template import resources

pytestmark = pytest.mark.usefixtures("every_shard")

REASON = "The function was cut off 3 times while it worked on this message alone"


class CutOff(BaseException):
    """Ends a function in this process in a way that nothing in it can catch."""


@dataclass
class Queue:
    """The submissions queue as Lambda polls it. `invoke` gets an event and returns the function's
    answer, or None if the function was killed.
    """

    aws: Aws
    invoke: Callable[[dict[str, Any]], dict[str, Any] | None]
    cut_off: int = 0

    @property
    def url(self) -> str:
        return self.aws.environment["SUBMISSIONS_QUEUE"]

    def send(self, workspace: str, *ids: str) -> None:
        states = tuple(EntityState(Kind.INCIDENT, incident(one)) for one in ids)
        ((_, body),) = packed(Message(workspace, "c", states))
        self.aws.sqs.send_message(QueueUrl=self.url, MessageBody=body, MessageGroupId=workspace)

    def deliver(self) -> list[str]:
        """Deliver the whole queue as one event; return the workspaces of the messages that stay."""
        messages: list[Any] = []
        while found := self.aws.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages"):
            messages += found
        if not messages:
            return []
        answer = self.invoke({"Records": list(map(_record, messages))})
        if answer is None:
            self.cut_off += 1
        else:
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for message in messages:
                if message["MessageId"] not in failed:
                    receipt = message["ReceiptHandle"]
                    self.aws.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)
        return [workspace for message in messages for workspace in self._still_there(message)]

    def _still_there(self, message: Any) -> Iterator[str]:
        """End the visibility timeouts."""
        receipt: str = message["ReceiptHandle"]
        try:
            self.aws.sqs.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=0
            )
        except self.aws.sqs.exceptions.ReceiptHandleIsInvalid:
            return
        yield message["Attributes"]["MessageGroupId"]

    def dead_letters(self) -> list[dict[str, Any]]:
        return received(self.aws, self.aws.environment["SUBMISSIONS_DEAD_LETTERS"])


def _record(message: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "eventSource": "aws:sqs",
    }


@pytest.fixture
def in_a_process(aws: Aws, tmp_path: Path) -> Iterator[Callable[[str], Queue]]:
    """Let the submitter die with SIGKILL at "parse" or "record"."""
    with aws_server(REGION) as endpoint:
        environment = bare_environment(
            AWS_ACCESS_KEY_ID="testing",
            AWS_SECRET_ACCESS_KEY="testing",
            AWS_DEFAULT_REGION=REGION,
            AWS_ENDPOINT_URL=endpoint,
            APP_KEY=APP_KEY,
            BASE_URL=BASE_URL,
            PYTHONPATH=f"{ROOT / 'shared'}:{ROOT}",
            **{name: aws.environment[name] for name in variables_of("submitter")},
        )

        def queue(at: str) -> Queue:
            def invoke(event: dict[str, Any]) -> dict[str, Any] | None:
                given = {"event": event, "at": at}
                try:
                    answer: dict[str, Any] = run_subject(
                        "tests.support.killed_submitter:receive",
                        given,
                        environment,
                        tmp_path / "log",
                    )
                except StackFailure:
                    return None
                return answer

            return Queue(aws, invoke)

        yield queue


@pytest.fixture
def submitter(function: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(relay.table, "_BACKOFF_SECONDS", 0)
    return function("submitter")


@pytest.fixture
def queue(aws: Aws, submitter: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The submitter in this process, killed by the killer's messages."""
    put_newest = RecordStore.put_newest

    def put(self: RecordStore, workspace_id: str, *given: Any) -> Any:
        if workspace_id.startswith(KILLER):
            raise CutOff
        return put_newest(self, workspace_id, *given)

    def invoke(event: dict[str, Any]) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = submitter.handler(event, Context())
        except CutOff:
            return None
        return answer

    monkeypatch.setattr(RecordStore, "put_newest", put)
    return Queue(aws, invoke)


@pytest.fixture
def attempts(aws: Aws) -> AttemptStore:
    return AttemptStore(aws.dynamodb, "RecordTable")


def reason_of(letter: dict[str, Any]) -> str:
    return str(letter["MessageAttributes"]["reason"]["StringValue"])


def recorded(aws: Aws, workspace: str) -> set[str]:
    record = RecordStore(aws.dynamodb, "RecordTable")
    return {entry.key.id for entry in record.entries(workspace)}


@pytest.mark.parametrize("at", ["parse", "record"])
def test_a_message_that_kills_the_process_becomes_a_dead_letter(
    in_a_process: Callable[[str], Queue], aws: Aws, at: str
) -> None:
    # GIVEN a message that kills its process among others
    queue = in_a_process(at)
    queue.send("payments", "a", "b")
    queue.send(KILLER, "x")
    queue.send("search", "c")

    # WHEN they are redelivered repeatedly
    rounds = 0
    while queue.deliver():
        rounds += 1
        assert rounds < 10

    # THEN the others are recorded, and only this one is a dead letter, with its reason
    assert recorded(aws, "payments") == {"a", "b"}
    assert recorded(aws, "search") == {"c"}
    [letter] = queue.dead_letters()
    assert reason_of(letter).startswith(REASON)
    assert letter["MessageAttributes"]["workspaceId"]["StringValue"] == KILLER
    # First with all, then with the redelivered ones, then with the suspects, and three times alone.
    assert queue.cut_off == 6


def test_finished_messages_are_acknowledged_before_a_suspect_is_handled(
    queue: Queue, aws: Aws
) -> None:
    # GIVEN a message whose function was killed twice with others
    queue.send("payments", "a")
    queue.send(KILLER, "x")
    for _ in range(2):
        assert sorted(queue.deliver()) == [KILLER, "payments"]

    # WHEN new ones arrive with it
    queue.send("search", "b")
    left = queue.deliver()

    # THEN the new one is deleted although the function was killed again
    assert queue.cut_off == 3
    assert "search" not in left
    assert recorded(aws, "search") == {"b"}


def test_the_other_messages_are_done_before_the_suspect_is_given_up(queue: Queue, aws: Aws) -> None:
    for number in range(100):
        queue.send(f"w{number}", "a")
    queue.send(KILLER, "x")
    waiting = [len(queue.deliver()) for _ in range(4)]
    # Twice with all, then with those of its group, the last one, and then alone.
    assert waiting == [101, 101, 101 % 32, 1]
    assert queue.dead_letters() == []
    assert all(recorded(aws, f"w{number}") == {"a"} for number in range(100))
    while queue.deliver():
        pass
    assert len(queue.dead_letters()) == 1


def test_several_fatal_messages_each_become_dead_letters(queue: Queue, aws: Aws) -> None:
    for number in range(3):
        queue.send(f"{KILLER}-{number}", "x")
        queue.send(f"w{number}", "a")
    while queue.deliver():
        assert queue.cut_off < 30
    letters = queue.dead_letters()
    assert {letter["MessageAttributes"]["workspaceId"]["StringValue"] for letter in letters} == {
        f"{KILLER}-{number}" for number in range(3)
    }
    assert all(reason_of(letter).startswith(REASON) for letter in letters)
    assert all(recorded(aws, f"w{number}") == {"a"} for number in range(3))


def test_a_first_receive_costs_no_extra_call(queue: Queue, calls: AwsCalls) -> None:
    queue.send("payments", "a")
    calls.names.clear()
    assert queue.deliver() == []
    assert "DeleteMessageBatch" not in calls.names
    assert not any("attempt#" in str(given) for given in calls.parameters)


def test_a_message_redelivered_for_another_reason_is_no_suspect(
    queue: Queue, calls: AwsCalls
) -> None:
    # GIVEN a message redelivered repeatedly because AWS failed
    def fail(operation: str) -> None:
        if operation == "TransactWriteItems":
            raise client_error("InternalServerError")

    queue.send("payments", "a")
    calls.before = fail
    for _ in range(8):
        assert queue.deliver() == ["payments"]
    assert "attempt#" in str(calls.given("BatchWriteItem"))

    # THEN it succeeds once AWS recovers
    calls.no_more_trouble()
    assert queue.deliver() == []
    assert queue.dead_letters() == []


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem"])
def test_a_redelivered_message_is_not_handled_without_its_attempts(
    queue: Queue, aws: Aws, calls: AwsCalls, operation: str
) -> None:
    queue.send(KILLER, "x")
    assert queue.deliver() == [KILLER]

    def fail(name: str) -> None:
        if name == operation and "attempt#" in str(calls.parameters[-1]):
            raise client_error("InternalServerError")

    calls.before = fail
    queue.send("payments", "a")
    for _ in range(3):
        assert queue.deliver() == [KILLER]
    assert queue.cut_off == 1
    assert recorded(aws, "payments") == {"a"}


def test_a_dead_letter_that_cannot_be_queued_is_retried(queue: Queue, calls: AwsCalls) -> None:
    queue.send(KILLER, "x")
    while queue.cut_off < 6:
        assert queue.deliver() == [KILLER]

    def fail(operation: str) -> None:
        if operation == "SendMessage":
            raise client_error("InternalServerError")

    calls.before = fail
    assert queue.deliver() == [KILLER]
    calls.no_more_trouble()
    assert queue.deliver() == []
    assert len(queue.dead_letters()) == 1
    assert queue.cut_off == 6


def test_leftover_attempts_expire(aws: Aws, attempts: AttemptStore) -> None:
    attempts.note({"m-1": 2})
    [item] = aws.dynamodb.scan(TableName="RecordTable")["Items"]
    specification = resources("AWS::DynamoDB::Table")["RecordTable"]["TimeToLiveSpecification"]
    assert specification["Enabled"] is True
    left = int(item[specification["AttributeName"]]["N"]) - time.time()
    assert 0 < left <= 86_400
    assert attempts.of(["m-1", "m-2"]) == {"m-1": 2}
    attempts.clear(["m-1"])
    assert attempts.of(["m-1"]) == {}
