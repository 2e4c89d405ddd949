"""Receipts: what became of each submitted state, by its submission's id."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from relay.entities.model import EntityState, Kind
from relay.queues.submissions import Message, packed
from relay.record.receipts import ENTITIES_MAX, EXPIRES_AFTER_SECONDS
from relay.table import Table
from tests.integration.relay_stage import Relay, Start
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.entities import incident, review
from tests.support.lambdas import Answer, Context
from tests.support.template import resources

SUBMISSIONS = "/v1/workspaces/payments/submissions"
EFFECTS = ("recorded", "same", "superseded", "outdated", "conflicting")
FIRE = "\U0001f525"


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments", "search")


def submit(relay: Relay, *incidents: dict[str, Any], **body: Any) -> str:
    """Queue a submission; return its id."""
    answer = relay.provider("POST", SUBMISSIONS, {"incidents": list(incidents)} | body)
    assert answer.status == 202
    return str(answer.json()["submissionId"])


def processed(relay: Relay, *incidents: dict[str, Any], **body: Any) -> dict[str, Any]:
    """The receipt of a submission of its own batch."""
    submission_id = submit(relay, *incidents, **body)
    assert relay.run_queue() == []
    return receipt(relay, submission_id)


def ask(relay: Relay, submission_id: str) -> Answer:
    return relay.provider("GET", f"{SUBMISSIONS}/{submission_id}")


def receipt(relay: Relay, submission_id: str) -> dict[str, Any]:
    answer = ask(relay, submission_id)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    assert found["submissionId"] == submission_id
    assert found["entities"] == sum(found[effect] for effect in EFFECTS)
    return found


def counts(found: dict[str, Any]) -> dict[str, int]:
    """The counts that are not zero."""
    return {effect: found[effect] for effect in EFFECTS if found[effect]}


def listed(relay: Relay, query: str = "") -> list[str]:
    found = relay.provider("GET", f"{SUBMISSIONS}{query}").json()["submissions"]
    return [one["submissionId"] for one in found]


def body_of(*entities: dict[str, Any], at: int, correlation_id: str = "c") -> str:
    """The message of incidents that were accepted then, in epoch milliseconds."""
    states = tuple(EntityState(Kind.INCIDENT, entity) for entity in entities)
    ((_, body),) = packed(Message("payments", correlation_id, states, at))
    return body


def now() -> int:
    return int(time.time() * 1000)


def items(relay: Relay) -> list[dict[str, Any]]:
    table = Table(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])
    return list(table.query("receipt#payments"))


# --- Counts ---


def test_a_receipt_counts_what_was_recorded(relay: Relay) -> None:
    before = now()
    submission_id = submit(relay, incident(), reviews=[review()])
    waiting = ask(relay, submission_id)
    relay.run_queue()
    found = receipt(relay, submission_id)

    assert (waiting.status, waiting.error_code) == (404, "unknown_submission")
    assert "not processed yet" in waiting.body
    assert counts(found) == {"recorded": 2}
    assert not {"outdatedEntities", "conflictingEntities"} & set(found)
    accepted_at = int(submission_id.partition("-")[0])
    assert before <= accepted_at <= now()
    assert found["acceptedAt"] <= found["processedAt"]


def test_a_repeat_is_the_same(relay: Relay) -> None:
    submit(relay, incident(), properties={"region": "eu"})

    repeated = processed(relay, incident(), properties={"region": "eu"})

    assert counts(repeated) == {"same": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"incidents": [incident(summary="Checkout answers again")]},
        {"properties": {"region": "us"}},
        {"providerMetadata": {"product": "Other Tool"}},
    ],
    ids=["entity", "properties", "product"],
)
def test_other_content_with_the_recorded_sequence_conflicts(
    relay: Relay, change: dict[str, Any]
) -> None:
    processed(relay, incident())

    found = processed(relay, **({"incidents": [incident()]} | change))

    assert counts(found) == {"conflicting": 1}
    assert found["conflictingEntities"] == [{"kind": "incident", "id": "inc-1"}]


def test_other_content_with_a_sequence_of_the_same_submission_conflicts(relay: Relay) -> None:
    found = processed(relay, incident(), incident(status="resolved"), incident(), incident("b"))

    assert counts(found) == {"recorded": 2, "same": 1, "conflicting": 1}
    assert found["conflictingEntities"] == [{"kind": "incident", "id": "inc-1"}]


def test_other_content_in_two_submissions_of_one_batch_conflicts(relay: Relay) -> None:
    first, second = submit(relay, incident()), submit(relay, incident(status="resolved"))
    relay.run_queue()

    assert sorted(str(counts(receipt(relay, one))) for one in (first, second)) == [
        "{'conflicting': 1}",
        "{'recorded': 1}",
    ]


def test_an_older_state_of_the_same_submission_is_superseded(relay: Relay) -> None:
    found = processed(relay, incident(sequence=2), incident(sequence=1), incident(sequence=3))

    assert counts(found) == {"recorded": 1, "superseded": 2}


def test_an_older_state_of_another_submission_of_the_batch_is_superseded(relay: Relay) -> None:
    older, newer = submit(relay, incident(sequence=1)), submit(relay, incident(sequence=2))
    relay.run_queue()

    assert counts(receipt(relay, older)) == {"superseded": 1}
    assert counts(receipt(relay, newer)) == {"recorded": 1}


def test_states_older_than_the_record_are_outdated_and_named_once(relay: Relay) -> None:
    processed(relay, incident(sequence=5), reviews=[review(sequence=5)])

    found = processed(
        relay, incident(sequence=3), incident(sequence=4), reviews=[review(sequence=4)]
    )

    assert counts(found) == {"outdated": 3}
    assert found["outdatedEntities"] == [
        {"kind": "incident", "id": "inc-1"},
        {"kind": "review", "id": "rev-1"},
    ]


def test_a_state_submitted_before_a_deletion_is_outdated(relay: Relay) -> None:
    late = submit(relay, incident(sequence=9))
    (message,) = relay.waiting()
    relay.provider("DELETE", "/v1/workspaces/payments/incidents/inc-1")
    relay.run_again([message])

    assert counts(receipt(relay, late)) == {"outdated": 1}


def test_rejected_entities_are_not_counted(relay: Relay) -> None:
    found = processed(relay, incident("a"), incident("b", status="on fire"))

    assert counts(found) == {"recorded": 1}


def test_a_draft_of_a_review_has_a_receipt(relay: Relay) -> None:
    processed(relay, incident())
    before = listed(relay)
    path = "/v1/workspaces/payments/incidents/inc-1/review"
    assert relay.provider("POST", path, {}).status == 201
    relay.run_queue()

    (draft,) = set(listed(relay)) - set(before)
    assert counts(receipt(relay, draft)) == {"recorded": 1}


# --- Messages ---


@pytest.fixture
def split(relay: Relay) -> tuple[str, list[str]]:
    """A submission whose content does not compress well: its id and its messages."""
    chance = random.Random(1)  # noqa: S311
    texts = [f"{chance.getrandbits(4 * 4900):x}" for _ in range(700)]
    submission_id = submit(
        relay, *(incident(f"i-{number}", description=text) for number, text in enumerate(texts))
    )
    messages = relay.waiting()
    assert len(messages) > 1
    return submission_id, messages


def test_the_parts_of_a_submission_are_added(relay: Relay, split: tuple[str, list[str]]) -> None:
    submission_id, messages = split

    relay.run_again(messages[:1])
    part = receipt(relay, submission_id)
    for message in messages[1:]:
        relay.run_again([message])

    assert 0 < part["recorded"] < 700
    assert counts(receipt(relay, submission_id)) == {"recorded": 700}
    assert listed(relay) == [submission_id]
    assert len(items(relay)) == len(messages)


def test_a_message_that_is_received_again_replaces_its_receipt(relay: Relay) -> None:
    submission_id = submit(relay, incident())
    (message,) = relay.waiting()
    relay.run_again([message])
    assert counts(receipt(relay, submission_id)) == {"recorded": 1}

    relay.run_again([message])

    assert counts(receipt(relay, submission_id)) == {"same": 1}


def test_a_message_that_arrives_twice_at_once_has_the_first_receipt(relay: Relay) -> None:
    submission_id = submit(relay, incident())
    (message,) = relay.waiting()
    relay.run_again([message, message])

    assert counts(receipt(relay, submission_id)) == {"recorded": 1}


def test_a_repeated_correlation_id_names_several_submissions(relay: Relay) -> None:
    at = now()
    bodies = [body_of(incident(name), at=at + number) for number, name in enumerate("ab")]
    relay.run_again(bodies)

    assert listed(relay) == [f"{at + 1}-c", f"{at}-c"]


def test_only_accepted_entities_have_a_receipt(relay: Relay) -> None:
    dry = relay.provider("POST", f"{SUBMISSIONS}?dryRun", {"incidents": [incident()]}).json()
    rejected = submit(relay, incident(status="on fire"))
    relay.provider("DELETE", "/v1/workspaces/payments/incidents/inc-1")
    relay.run_queue()

    assert items(relay) == []
    for submission_id in (dry["submissionId"], rejected):
        assert ask(relay, submission_id).error_code == "unknown_submission"


def test_a_receipt_with_the_longest_ids_fits_into_an_item(relay: Relay) -> None:
    more = ENTITIES_MAX + 1
    ids = [f"{number:03}".ljust(246, FIRE) for number in range(2 * more)]
    url = "https://ops.example.com"
    processed(relay, *(incident(one, 2, url=url) for one in ids))

    changed = [incident(one, 2, url=url, status="resolved") for one in ids[:more]]
    older = [incident(one, 1, url=url) for one in ids[more:]]
    found = processed(relay, *changed, *older)

    assert counts(found) == {"outdated": more, "conflicting": more}
    for name, first in (("conflictingEntities", 0), ("outdatedEntities", more)):
        named = [one["id"] for one in found[name]]
        assert named == ids[first : first + ENTITIES_MAX]


# --- Lists ---


def test_submissions_are_listed_newest_first_in_pages(relay: Relay) -> None:
    at = now()
    ids = [f"{at + number}-c" for number in range(5)]
    relay.run_again([body_of(incident(), at=at + number) for number in range(5)])

    first = relay.provider("GET", f"{SUBMISSIONS}?limit=2").json()
    second = relay.provider("GET", f"{SUBMISSIONS}?limit=2&after={first['next']}").json()
    last = relay.provider("GET", f"{SUBMISSIONS}?limit=2&after={second['next']}").json()

    pages = [[one["submissionId"] for one in page["submissions"]] for page in (first, second, last)]
    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]]
    assert "next" not in last


def test_a_split_submission_is_one_member_of_a_page(
    relay: Relay, split: tuple[str, list[str]]
) -> None:
    submission_id, messages = split
    newer = submit(relay, incident("newer"))
    relay.run_again(messages)
    relay.run_queue()

    page = relay.provider("GET", f"{SUBMISSIONS}?limit=1").json()
    rest = relay.provider("GET", f"{SUBMISSIONS}?limit=1&after={page['next']}").json()

    assert page["next"] == newer
    assert [one["submissionId"] for one in rest["submissions"]] == [submission_id]
    assert counts(rest["submissions"][0]) == {"recorded": 700}


def test_a_list_does_not_name_entities(relay: Relay) -> None:
    processed(relay, incident(), incident(status="resolved"))

    (one,) = relay.provider("GET", SUBMISSIONS).json()["submissions"]

    assert one["conflicting"] == 1
    assert "conflictingEntities" not in one


@pytest.mark.parametrize("after", ["x", "1769852700123", "1769852700123-", "176985270012-c", "%00"])
def test_an_invalid_cursor_is_refused(relay: Relay, after: str) -> None:
    answer = relay.provider("GET", f"{SUBMISSIONS}?after={after}")

    assert answer.status == 400
    assert answer.json()["error"]["details"][0]["rule"] == "cursor"


@pytest.mark.parametrize("submission_id", ["deploy-2026", "1769852700123", "x" * 500])
def test_an_id_that_no_submission_has_is_refused(relay: Relay, submission_id: str) -> None:
    answer = ask(relay, submission_id)

    assert answer.status == 400
    assert answer.json()["error"]["details"][0]["path"] == "submissionId"


def test_a_correlation_id_of_api_gateway_may_be_in_an_id(relay: Relay) -> None:
    assert ask(relay, "1769852700123-JKJaXmPLvHcESHA=").error_code == "unknown_submission"


def test_another_workspaces_receipts_are_not_found(relay: Relay) -> None:
    found = processed(relay, incident())
    theirs = f"/v1/workspaces/search/submissions/{found['submissionId']}"
    key = relay.key_for("search")

    assert relay.provider("GET", theirs, key=key).error_code == "unknown_submission"
    assert relay.provider("GET", SUBMISSIONS, key=key).status == 403
    listed_there = relay.provider("GET", "/v1/workspaces/search/submissions", key=key)
    assert listed_there.json() == {"submissions": []}


def test_an_expired_receipt_is_not_shown(relay: Relay) -> None:
    expired = now() - EXPIRES_AFTER_SECONDS * 1000
    kept = expired + 3_600_000
    relay.run_again([body_of(incident(), at=at) for at in (expired, kept)])
    assert len(items(relay)) == 2

    assert listed(relay) == [f"{kept}-c"]
    assert ask(relay, f"{expired}-c").error_code == "unknown_submission"
    assert receipt(relay, f"{kept}-c")


def test_dynamodb_deletes_expired_receipts(relay: Relay) -> None:
    found = processed(relay, incident())

    ttl = resources("AWS::DynamoDB::Table")["RecordTable"]["TimeToLiveSpecification"]
    (item,) = items(relay)
    accepted_at = int(found["submissionId"].partition("-")[0])
    assert ttl["Enabled"] is True
    assert item[ttl["AttributeName"]] == accepted_at // 1000 + 14 * 24 * 3600


# --- Receipts never stand in the way ---


def failing(calls: AwsCalls) -> None:
    def before(operation: str) -> None:
        if operation == "BatchWriteItem" and "receipt#" in str(calls.parameters[-1]):
            raise client_error("InternalServerError")

    calls.before = before


def test_a_submission_is_processed_without_its_receipt(
    relay: Relay, calls: AwsCalls, written: Callable[[], str]
) -> None:
    submission_id = submit(relay, incident())
    failing(calls)
    assert relay.run_queue() == []
    calls.no_more_trouble()

    assert relay.provider("GET", "/v1/workspaces/payments/incidents/inc-1").status == 200
    assert ask(relay, submission_id).error_code == "unknown_submission"
    assert "Receipts could not be written" in written()


def test_receipts_are_written_after_the_delivery_in_one_call(relay: Relay, calls: AwsCalls) -> None:
    bodies = [body_of(incident(name), at=now(), correlation_id=name) for name in "abc"]
    calls.names.clear()
    relay.run_again(bodies)

    assert calls.names[-1] == "BatchWriteItem"
    assert calls.names.count("BatchWriteItem") == 1


def test_receipts_do_not_use_the_last_seconds(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, written: Callable[[], str]
) -> None:
    submit(relay, incident())
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 4_000)
    assert relay.run_queue() == []

    assert items(relay) == []
    assert "No time left for receipts" in written()
    assert relay.provider("GET", "/v1/workspaces/payments/incidents/inc-1").status == 200


def test_a_message_that_returns_has_a_receipt(relay: Relay, calls: AwsCalls) -> None:
    """What it holds is recorded, although a link could not be read."""

    def before(operation: str) -> None:
        if operation == "Query":
            raise client_error("InternalServerError")

    submission_id = submit(relay, incident())
    calls.before = before
    returned = relay.run_queue()
    calls.no_more_trouble()

    assert len(returned) == 1
    assert counts(receipt(relay, submission_id)) == {"recorded": 1}
    assert relay.run_again(returned) == []
    assert counts(receipt(relay, submission_id)) == {"same": 1}


def test_lost_updates_are_counted(relay: Relay, capsys: pytest.CaptureFixture[str]) -> None:
    processed(relay, incident())
    submit(relay, incident(status="resolved"), incident(summary="Other"))
    capsys.readouterr()
    relay.run_queue()

    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["EntitiesConflicting"] for line in lines if "EntitiesConflicting" in line] == [
        [2.0]
    ]
