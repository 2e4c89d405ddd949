"""`relay dlq`: what is shown of dead letters, and that none is lost on its way back."""

import base64
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from relay.entities.model import EntityKey, Kind
from relay.queues.submissions import Message, packed
from relay_cli import letters
from relay_cli.letters import CONTENT_BYTES_MAX, NO_REASON, STALE_MAX, Letter, content_of
from tests.integration.cli_stage import (
    Cli,
    Stage,
    queue_outputs,
    write_stack_file,
)
from tests.support.aws import REGION, Aws
from tests.support.aws_calls import AwsCalls, aws_calls, client_error
from tests.support.entities import incident, review

DEAD = "SubmissionsDeadLetters"
SOURCE = "SubmissionsQueue"
REASON = "a state has no id"
SITE = "0" * 32


class Queues:
    """The stack's queues on the emulated AWS, with the names of the configuration's file."""

    def __init__(self, aws: Aws) -> None:
        self.sqs = aws.sqs
        self.urls = queue_outputs(aws)
        write_stack_file(outputs=self.urls)

    def bury(self, body: str, queue: str = DEAD, **attributes: str) -> str:
        """Write a dead letter as Relay does, with its attributes; return its id."""
        said: Any = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        return self.sqs.send_message(
            QueueUrl=self.urls[queue], MessageBody=body, MessageAttributes=said
        )["MessageId"]

    def waiting(self, queue: str) -> list[tuple[str, str | None]]:
        """The (body, message group) of each visible message; they are deleted."""
        found = []
        while answer := self.sqs.receive_message(
            QueueUrl=self.urls[queue],
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            for one in answer:
                self.sqs.delete_message(
                    QueueUrl=self.urls[queue], ReceiptHandle=one["ReceiptHandle"]
                )
                found.append((one["Body"], one["Attributes"].get("MessageGroupId")))
        return found


@pytest.fixture(autouse=True)
def one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulated SQS is one server, so there is no other to poll."""
    monkeypatch.setattr(letters, "WAIT_SECONDS", 0)


@pytest.fixture(name="queues")
def queues_of_a_stack(aws: Aws, cli: Cli) -> Queues:  # noqa: ARG001
    return Queues(aws)


@pytest.fixture(name="calls")
def calls_of_aws() -> Iterator[AwsCalls]:
    with aws_calls() as calls:
        yield calls


def content(**fields: Any) -> dict[str, Any]:
    """The content of a submission message's body."""
    return {
        "format": 1,
        "workspaceId": "operations",
        "correlationId": "cli-1",
        "acceptedAt": 1_769_853_600_000,
        "incidents": [incident("inc-1", 3), incident("inc-2", 0)],
        "reviews": [review()],
        "deleted": [["incident", "inc-9"]],
        "containers": ["checkout"],
    } | fields


def submission(**fields: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(content(**fields)).encode())).decode()


def test_letters_are_listed_with_their_details_and_not_removed(cli: Cli, queues: Queues) -> None:
    letter = queues.bury(submission(), reason=REASON, correlationId="cli-1", workspaceId="ops")

    [listed] = cli("dlq", "list", "--json").json()["letters"]

    sent = datetime.fromisoformat(listed.pop("sentAt"))
    assert (datetime.now(UTC) - sent).total_seconds() < 600
    assert listed == {
        "id": letter,
        "queue": "submissions",
        "received": 1,
        "reason": REASON,
        "readable": True,
        "holds": {"incident": 2, "review": 1, "deletion": 1, "container": 1},
        "workspaceId": "ops",
        "correlationId": "cli-1",
    }
    said = cli("dlq", "list")
    assert f"submissions {letter}" in said.words
    assert f"ops 2 incidents, 1 review, 1 deletion, 1 container {REASON}" in said.words
    assert "relay dlq redrive" in said.err
    # Nothing has to wait for it after that.
    assert queues.waiting(DEAD) == [(submission(), None)]


def test_a_letter_that_sqs_moved_says_where_to_find_its_reason(cli: Cli, queues: Queues) -> None:
    arn = queues.sqs.get_queue_attributes(QueueUrl=queues.urls[DEAD], AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    source = queues.urls[SOURCE]
    queues.sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": policy})
    sent = queues.sqs.send_message(QueueUrl=source, MessageBody="?", MessageGroupId="the-group")
    for _ in range(2):
        queues.sqs.receive_message(QueueUrl=source, VisibilityTimeout=0)

    [listed] = cli("dlq", "list", "--json").json()["letters"]

    assert (listed["id"], listed["reason"]) == (sent["MessageId"], None)
    assert NO_REASON in cli("dlq", "list").out
    assert NO_REASON in cli("dlq", "show", listed["id"]).out
    queues.sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": ""})
    cli("dlq", "redrive", listed["id"])
    assert queues.waiting(SOURCE) == [("?", "the-group")]


def test_each_queue_has_its_letters(cli: Cli, queues: Queues) -> None:
    notice = {"id": "n-1", "workspace_id": "ops", "event": "entity.associated", "data": {}}
    queues.bury(submission())
    queues.bury(json.dumps(notice), "NoticesDeadLetters")
    queues.bury("{}", "ReplaysDeadLetters")

    found = cli("dlq", "list", "--json").json()["letters"]
    assert [one["queue"] for one in found] == ["submissions", "replays", "notices"]
    assert (found[2]["workspaceId"], found[2]["event"]) == ("ops", "entity.associated")
    only = cli("dlq", "list", "--queue", "notices")
    assert [row[0] for row in only.rows] == ["notices"]
    assert "ops entity.associated" in only.words


def test_at_most_the_requested_number_of_letters_is_read(cli: Cli, queues: Queues) -> None:
    buried = {queues.bury(submission()) for _ in range(25)}

    some = cli("dlq", "list", "--limit", "12")
    assert len(some.rows) == 12
    assert "12 of about 25. Use --limit or --all." in some.err
    everything = cli("dlq", "list", "--all", "--json").json()
    assert everything["about"] == 25
    assert {one["id"] for one in everything["letters"]} == buried
    assert len(queues.waiting(DEAD)) == 25


def test_an_empty_queue_has_no_letters(cli: Cli, queues: Queues) -> None:  # noqa: ARG001
    assert cli("dlq", "list").err == "There are none.\n"
    assert cli("dlq", "list", "--json").json() == {"letters": [], "about": 0}
    assert cli("dlq", "redrive", "--all").out == "There is no dead letter.\n"


def test_a_letter_that_is_received_twice_counts_once(
    cli: Cli, queues: Queues, calls: AwsCalls
) -> None:
    buried = {queues.bury(submission()) for _ in range(3)}
    calls.after = lambda operation: end_hiding() if operation == "ReceiveMessage" else None

    listed = cli("dlq", "list", "--queue", "submissions", "--json").json()["letters"]

    assert {one["id"] for one in listed} == buried
    assert len(listed) == 3
    assert calls.names.count("ReceiveMessage") == 1 + STALE_MAX


def end_hiding() -> None:
    """Make every letter visible, as at the end of its visibility timeout."""
    queue = get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].queues[DEAD]
    for message in queue._messages:
        message.change_visibility(0)
    queue.pending_messages.clear()


def test_a_letter_is_shown_without_entity_texts(cli: Cli, queues: Queues) -> None:
    letter = queues.bury(submission(), reason=REASON)
    queues.bury(submission(workspaceId="other"))

    shown = cli("dlq", "show", letter)
    document = cli("dlq", "show", letter, "--json").json()

    assert f"why {REASON}" in shown.words
    assert "workspace operations submission cli-1 accepted 2026-01-31 10:00:00 UTC" in shown.words
    for row in ("incident inc-1 3", "incident inc-2 0", "review rev-1 1", "incident inc-9 deleted"):
        assert row in shown.words
    assert "containers checkout" in shown.words
    assert document["entities"] == [
        {"kind": "incident", "id": "inc-1", "updateSequenceNumber": 3},
        {"kind": "incident", "id": "inc-2", "updateSequenceNumber": 0},
        {"kind": "review", "id": "rev-1", "updateSequenceNumber": 1},
        {"kind": "incident", "id": "inc-9", "deleted": True},
    ]
    assert document["acceptedAt"] == "2026-01-31T10:00:00+00:00"
    assert "Checkout" not in shown.out + json.dumps(document)
    assert '"summary": "Checkout answers slowly"' in cli("dlq", "show", letter, "--full").out
    full = cli("dlq", "show", letter, "--full", "--json").json()
    assert full["content"] == content()


def test_an_unreadable_body_is_shown_unchanged(cli: Cli, queues: Queues) -> None:
    letter = queues.bury("poison " * 100)

    assert "unreadable" in cli("dlq", "list").out
    shown = cli("dlq", "show", letter).out
    assert shown.count("poison") < 30
    assert "(700 characters; --full shows all)" in shown
    assert cli("dlq", "show", letter, "--full").out.count("poison") == 100
    assert cli("dlq", "show", letter, "--full", "--json").json()["body"] == "poison " * 100
    assert len(cli("dlq", "show", letter, "--json").json()["body"]) < 250


def test_an_unknown_letter_id_is_reported(cli: Cli, queues: Queues) -> None:
    queues.bury(submission())

    assert cli("dlq", "show", "none", "--json", code=1).error_code == "unknown_letter"
    assert "no dead letter none" in cli("dlq", "redrive", "none", code=1).err
    assert len(queues.waiting(DEAD)) == 1


def test_one_letter_goes_back_to_its_queue_and_the_others_stay(cli: Cli, queues: Queues) -> None:
    queues.bury(submission(workspaceId="other"))
    letter = queues.bury(submission(), reason=REASON)

    redriven = cli("dlq", "redrive", letter, "--json").json()

    assert redriven == {"redriven": [{"queue": "submissions", "id": letter}]}
    assert queues.waiting(SOURCE) == [(submission(), "operations")]
    assert queues.waiting(DEAD) == [(submission(workspaceId="other"), None)]


def test_redriven_letters_are_listed_even_if_another_is_missing(cli: Cli, queues: Queues) -> None:
    letter = queues.bury(submission())

    ran = cli("dlq", "redrive", letter, "none", code=1)

    assert ran.out == "1 dead letter sent to submissions again.\n"
    assert "no dead letter none," in ran.err


def test_a_redrive_of_all_returns_each_letter_to_its_own_queue(cli: Cli, queues: Queues) -> None:
    sources = {DEAD: SOURCE, "ReplaysDeadLetters": "ReplaysQueue"}
    for number in range(12):
        for dead in sources:
            queues.bury(f"{dead} {number}", dead, workspaceId="operations")
    queues.bury("{}", "NoticesDeadLetters")

    said = cli("dlq", "redrive", "--all").out

    assert "12 dead letters sent to submissions again." in said
    assert "12 dead letters sent to replays again." in said
    assert "1 dead letter sent to notices again." in said
    for dead, source in sources.items():
        expected = {(f"{dead} {number}", "operations") for number in range(12)}
        assert set(queues.waiting(source)) == expected
        assert queues.waiting(dead) == []
    assert queues.waiting("NoticesQueue") == [("{}", None)]


def test_a_redrive_of_one_queue_leaves_the_others(cli: Cli, queues: Queues) -> None:
    queues.bury(submission())
    queues.bury("{}", "NoticesDeadLetters")

    cli("dlq", "redrive", "--all", "--queue", "notices")

    assert len(queues.waiting(DEAD)) == 1
    assert queues.waiting("NoticesDeadLetters") == []


@pytest.mark.parametrize("workspace", ["läden", "a b", "w" * 129])
def test_a_workspace_that_is_no_valid_sqs_group_is_sent_without_one(
    cli: Cli, queues: Queues, workspace: str
) -> None:
    body = submission(workspaceId=workspace)
    queues.bury(body)

    cli("dlq", "redrive", "--all")

    assert queues.waiting(SOURCE) == [(body, None)]


@pytest.mark.parametrize(("operation", "in_source"), [("SendMessage", 1), ("DeleteMessage", 2)])
def test_no_letter_is_lost_when_aws_fails_halfway(
    cli: Cli, queues: Queues, calls: AwsCalls, operation: str, in_source: int
) -> None:
    bodies = {submission(correlationId=f"cli-{number}") for number in range(3)}
    for body in bodies:
        queues.bury(body)
    calls.names.clear()

    def fail_the_second(name: str) -> None:
        if name == operation and calls.names.count(name) == 2:
            raise client_error("ServiceUnavailable")

    calls.before = fail_the_second
    ran = cli("dlq", "redrive", "--all", code=3)
    calls.no_more_trouble()

    assert ran.out == "1 dead letter sent to submissions again.\n"
    assert "ServiceUnavailable" in ran.err
    source, dead = queues.waiting(SOURCE), queues.waiting(DEAD)
    assert (len(source), len(dead)) == (in_source, 2)
    assert {body for body, _ in source + dead} == bodies


def test_an_interrupted_redrive_reports_its_progress(
    cli: Cli, queues: Queues, calls: AwsCalls
) -> None:
    for number in range(3):
        queues.bury(submission(correlationId=f"cli-{number}"))
    calls.names.clear()

    def stop_at_the_second(name: str) -> None:
        if name == "SendMessage" and calls.names.count(name) == 2:
            raise KeyboardInterrupt

    calls.before = stop_at_the_second
    ran = cli("dlq", "redrive", "--all", code=130)
    calls.no_more_trouble()

    assert "1 dead letter sent to submissions again." in ran.out
    assert (len(queues.waiting(SOURCE)), len(queues.waiting(DEAD))) == (1, 2)


def test_letters_that_arrive_during_a_redrive_are_not_sent(
    cli: Cli, queues: Queues, calls: AwsCalls
) -> None:
    queues.bury(submission())
    queues.bury(submission())
    sent: list[str] = []

    def fail_again(operation: str) -> None:
        if operation == "SendMessage" and len(sent) < 2:
            # This is a call, too.
            sent.append("")
            queues.bury(submission())

    calls.after = fail_again
    said = cli("dlq", "redrive", "--all", "--queue", "submissions").out
    calls.no_more_trouble()

    assert "2 dead letters sent to submissions again." in said
    assert "2 arrived meanwhile and were not sent." in said
    assert (len(queues.waiting(SOURCE)), len(queues.waiting(DEAD))) == (2, 2)


@pytest.mark.parametrize("arguments", [(), ("some-id", "--all")])
def test_a_redrive_needs_letter_ids_or_all(
    cli: Cli,
    queues: Queues,  # noqa: ARG001
    arguments: tuple[str, ...],
) -> None:
    assert "--all" in cli("dlq", "redrive", *arguments, code=2).err


def test_without_a_stack_the_error_says_how_to_name_one(cli: Cli) -> None:
    assert "--stack" in cli("dlq", "list", code=2).err


def test_a_stack_without_the_queue_is_reported(cli: Cli, queues: Queues) -> None:
    write_stack_file(outputs={})
    cli("dlq", "list", code=2)
    only = {name: url for name, url in queues.urls.items() if "Replays" not in name}
    write_stack_file(outputs=only)
    assert cli("dlq", "list", "--json").json()["letters"] == []
    assert "no such queue" in cli("dlq", "list", "--queue", "replays", code=2).err


def test_a_refusal_by_aws_is_reported(cli: Cli, queues: Queues, calls: AwsCalls) -> None:  # noqa: ARG001
    calls.fail(client_error("AccessDenied"), at=0)
    ran = cli("dlq", "list", "--json", code=3)

    assert ran.error_code == "aws"
    assert "AccessDenied" in ran.err
    assert "credentials" in ran.err


def test_a_redriven_submission_arrives(stage: Stage) -> None:
    stage.link()
    queues = Queues(stage.relay.aws)
    stage.relay.queue("operations", incidents=[incident("inc-7")])
    [body] = stage.relay.waiting()
    queues.bury(body, reason=REASON)

    [letter] = stage.cli("dlq", "list", "--json").json()["letters"]
    assert letter["workspaceId"] == "operations"
    assert letter["holds"] == {"incident": 1}
    assert stage.cli("dlq", "show", letter["id"], "--json").json()["entities"][0]["id"] == "inc-7"
    stage.cli("dlq", "redrive", letter["id"])
    # It may arrive twice, which changes nothing.
    queues.sqs.send_message(QueueUrl=queues.urls[SOURCE], MessageBody=body)
    assert stage.relay.run_queue() == []
    assert stage.site.held("incident").keys() == {"inc-7"}


def test_a_letter_that_relay_gave_up_on_says_why(stage: Stage) -> None:
    queues = Queues(stage.relay.aws)
    source = queues.urls[SOURCE]
    queues.sqs.send_message(QueueUrl=source, MessageBody="poison")
    assert stage.relay.run_queue() == []

    [letter] = stage.cli("dlq", "list", "--json").json()["letters"]
    assert letter["readable"] is False
    assert letter["reason"].startswith("not a message")
    assert letter["reason"] in stage.cli("dlq", "list").out
    # The cause is not fixed, so it returns.
    stage.cli("dlq", "redrive", "--all")
    assert stage.relay.run_queue() == []
    [again] = stage.cli("dlq", "list", "--json").json()["letters"]
    assert (again["reason"], again["id"] == letter["id"]) == (letter["reason"], False)


def test_a_replay_letter_returns_with_its_group(stage: Stage) -> None:
    stage.link()
    queues = Queues(stage.relay.aws)
    [(body, group)] = queues.waiting("ReplaysQueue")
    queues.bury(body, "ReplaysDeadLetters")

    [letter] = stage.cli("dlq", "list", "--json").json()["letters"]
    assert (letter["siteId"], letter["workspaceId"]) == (stage.site.id, "operations")
    assert "operations a replay" in stage.cli("dlq", "list").words
    assert f"site {stage.site.id}" in stage.cli("dlq", "show", letter["id"]).words
    stage.cli("dlq", "redrive", letter["id"])
    assert queues.waiting("ReplaysQueue") == [(body, group)]
    assert group == stage.site.id


def test_an_unchecked_sample_names_its_entities() -> None:
    accepted = [["incident", "inc-1", 3], ["review", "rev-1", 1]]
    letter = letter_of(json.dumps({"tenantId": SITE, "sample": {"accepted": accepted}}))

    assert [[one.kind, one.id, one.sequence] for one in letter.entities] == accepted
    assert letter.group == SITE


def test_a_message_packed_by_relay_is_read() -> None:
    message = Message(
        "operations",
        "cli-1",
        accepted_at=1_769_853_600_000,
        deleted=(EntityKey(Kind.REVIEW, "rev-9"),),
        containers=("checkout",),
    )
    [(_, body)] = packed(message)

    letter = letter_of(body)

    assert (letter.workspace_id, letter.correlation_id) == ("operations", "cli-1")
    assert [(one.kind, one.id, one.deleted) for one in letter.entities] == [
        ("review", "rev-9", True)
    ]
    assert letter.containers == ["checkout"]
    assert letter.accepted_at == datetime(2026, 1, 31, 10, tzinfo=UTC)


def letter_of(body: str, **attributes: str) -> Letter:
    return Letter("id", body, datetime.now(UTC), 1, attributes)


def deflated(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = ("workspaceId", "workspace_id", "correlationId", "acceptedAt", "event", "tenantId")
ENTITY = st.fixed_dictionaries({}, optional={"id": JSON, "updateSequenceNumber": JSON})
LISTS = ("incidents", "reviews", "deleted", "containers")
LIST = st.lists(JSON | ENTITY | st.lists(JSON, min_size=2, max_size=3)) | JSON
CONTENTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(FIELDS, JSON)
    | dict.fromkeys(LISTS, LIST)
    | {"sample": st.fixed_dictionaries({"accepted": LIST}) | JSON},
)
BODIES = st.one_of(
    st.text(),
    st.binary().map(deflated),
    JSON.map(json.dumps),
    CONTENTS.map(json.dumps),
    CONTENTS.map(lambda content: deflated(json.dumps(content).encode())),
)


@given(BODIES)
def test_a_letter_with_any_body_can_be_described(body: str) -> None:
    letter = letter_of(body)

    assert letter.content is None or isinstance(letter.content, dict)
    for text in (letter.workspace_id, letter.correlation_id, letter.event, letter.group):
        assert text is None or isinstance(text, str)
    assert all(isinstance(one.id, str) for one in letter.entities)
    assert all(isinstance(one, str) for one in letter.containers)
    assert letter.accepted_at is None or letter.accepted_at.tzinfo == UTC


@given(CONTENTS)
def test_relays_own_reason_comes_first(content: dict[str, Any]) -> None:
    letter = letter_of(json.dumps(content), workspaceId="ops", correlationId="c")

    assert (letter.workspace_id, letter.correlation_id) == ("ops", "c")


@pytest.mark.parametrize("body", ["[" * 200_000, '{"a": NaN}', "7", "[]", "", "é", deflated(b"7")])
def test_a_body_that_is_not_a_document_has_no_content(body: str) -> None:
    assert content_of(body) is None


def test_inflation_stops_at_the_largest_message() -> None:
    bomb = deflated(b'{"a": "' + b"x" * CONTENT_BYTES_MAX * 4 + b'"}')

    assert len(bomb) < 100_000
    assert content_of(bomb) is None
