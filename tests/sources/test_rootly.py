"""Rootly's webhooks."""

from typing import Any

import pytest

from relay.entities.model import EntityKey, Kind
from relay.errors import BadRequest, Unauthenticated
from relay.sources.mapping import Deletion
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import call, entities, samples, translated, vector

SAMPLES = samples("rootly")
# There is no published one. This one has the time directly before the body, as Rootly documents it.
VECTOR = vector("rootly")
VECTOR_TIME = 1769880600
INCIDENT_ID = "rootly-11111111-2222-4333-8444-555555555555"
REVIEW_ID = "rootly-22222222-3333-4444-8555-666666666666"


def event(sample: str, **fields: Any) -> dict[str, Any]:
    return {**SAMPLES[sample], "data": {**SAMPLES[sample]["data"], **fields}}


def of_type(event_type: str) -> dict[str, Any]:
    return {**SAMPLES["created"], "event": {**SAMPLES["created"]["event"], "type": event_type}}


def verify(
    header: str, body: str = VECTOR["raw_body"], secret: str = VECTOR["secret"], late: int = 0
) -> None:
    verify = tool_of("rootly").verify
    assert verify
    sent = call(body.encode(), {"X-Rootly-Signature": header}, VECTOR_TIME + late)
    verify(sent, secret, SourceSettings())


def test_an_incident() -> None:
    assert entities("rootly", SAMPLES["created"]) == [
        {
            "schemaVersion": "1.0",
            "id": INCIDENT_ID,
            "updateSequenceNumber": 1769880660000000,
            "affectedComponents": ["rootly-checkout-api"],
            "summary": "Checkout answers slowly",
            "description": "p99 above 2 s",
            "url": "https://rootly.com/account/incidents/12-checkout-answers-slowly",
            "createdDate": "2026-01-31T17:30:00Z",
            "lastUpdated": "2026-01-31T17:31:00Z",
            "severity": {"level": "P1"},
            "status": "open",
        }
    ]


def test_its_service_becomes_a_container() -> None:
    [service] = translated("rootly", SAMPLES["created"]).services

    assert (service.id, service.name) == ("rootly-checkout-api", "Checkout API")


def test_a_resolved_incident_and_its_jira_issue() -> None:
    [incident] = entities("rootly", SAMPLES["resolved"])

    assert incident["id"] == INCIDENT_ID
    assert incident["status"] == "resolved"
    assert incident["updateSequenceNumber"] == 1769882400125000
    assert incident["associations"] == [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("in_triage", "open"),
        ("started", "open"),
        ("mitigated", "open"),
        ("resolved", "resolved"),
        ("cancelled", "resolved"),
        ("closed", "resolved"),
        (None, "open"),
    ],
)
def test_the_statuses(status: str | None, expected: str) -> None:
    [incident] = entities("rootly", event("created", status=status))

    assert incident["status"] == expected


def test_a_severity_of_ones_own_needs_the_setting() -> None:
    payload = event("created", severity={"name": "Customer outage", "slug": "customer-outage"})

    [unknown] = entities("rootly", payload)
    [known] = entities("rootly", payload, severities={"customer-outage": "P1"})

    assert unknown["severity"] == {"level": "unknown"}
    assert known["severity"] == {"level": "P1"}


def test_a_deleted_incident_is_deleted_after_its_last_state() -> None:
    found = translated("rootly", SAMPLES["deleted"])

    assert not found.states
    assert found.deletions == [Deletion(EntityKey(Kind.INCIDENT, INCIDENT_ID), 1769965200000000)]


def test_a_deletion_never_comes_before_the_last_change() -> None:
    changed_later = event("deleted", updated_at="2026-02-01T09:00:01.000-08:00")

    [deletion] = translated("rootly", changed_later).deletions

    assert deletion.sequence == 1769965201000000


def test_a_deletion_of_a_private_incident_counts_as_it_may_have_been_public() -> None:
    assert translated("rootly", event("deleted", private=True)).deletions


def test_a_review_without_its_incident() -> None:
    assert entities("rootly", SAMPLES["review_created"]) == [
        {
            "schemaVersion": "1.0",
            "id": REVIEW_ID,
            "updateSequenceNumber": 1769961600000000,
            "reviews": [INCIDENT_ID],
            "summary": "Checkout answered slowly",
            "description": "Checkout answered slowly",
            "url": "https://rootly.com/account/incidents/12-checkout-answers-slowly/retrospective",
            "createdDate": "2026-02-01T16:00:00Z",
            "lastUpdated": "2026-02-01T16:00:00Z",
            "status": "in progress",
        }
    ]


def test_a_published_review() -> None:
    [review] = entities("rootly", SAMPLES["review_published"])

    assert review["id"] == REVIEW_ID
    assert review["status"] == "completed"
    assert review["updateSequenceNumber"] == 1770048000000000


def test_a_deleted_review() -> None:
    found = translated("rootly", SAMPLES["review_deleted"])

    assert not found.states
    assert found.deletions == [Deletion(EntityKey(Kind.REVIEW, REVIEW_ID), 1770134400500000)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (SAMPLES["private"], "a private incident"),
        (event("created", private="yes"), "a private incident"),
        (SAMPLES["scheduled"], "scheduled maintenance"),
        (of_type("incident.scheduled.deleted"), "scheduled maintenance"),
        (event("created", kind="scheduled_sub"), "scheduled maintenance"),
        (event("created", kind="test"), "a test incident"),
        (event("created", kind="example_sub"), "a test incident"),
        (SAMPLES["alert"], "this type of event does not carry an incident"),
        (of_type("incident_event.created"), "this type of event does not carry an incident"),
        (of_type("genius_workflow_run.queued"), "this type of event does not carry an incident"),
    ],
)
def test_ignored_events(payload: dict[str, Any], reason: str) -> None:
    reading = tool_of("rootly").read(payload, SourceSettings())

    assert not reading.changes
    assert reading.ignored == reason


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (event("created", id=None), "data.id"),
        (event("deleted", id=7), "data.id"),
        (event("review_created", id=""), "data.id"),
        (event("review_created", incident_id=None), "data.incident_id"),
        ({"event": SAMPLES["created"]["event"]}, "data"),
        ({**SAMPLES["created"], "event": {"type": "incident.created"}}, "event.issued_at"),
    ],
)
def test_what_is_required(payload: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("rootly", payload)

    assert [detail.path for detail in refused.value.details] == [path]


def test_what_is_not_required() -> None:
    [incident] = entities("rootly", VECTOR["raw_body"].encode())

    assert incident["id"] == "rootly-x"
    assert incident["summary"] == "Rootly x"
    assert incident["lastUpdated"] == "2026-01-31T17:30:00Z"
    assert incident["affectedComponents"] == ["rootly"]
    assert "severity" not in incident


def test_fields_of_other_types_do_not_cost_the_incident() -> None:
    payload = event("created", services=["checkout", {"slug": "api"}], severity=1)

    [incident] = entities("rootly", payload)

    assert incident["affectedComponents"] == ["rootly-api"]


def test_the_right_signature() -> None:
    verify(VECTOR["header"])
    verify(VECTOR["header"], late=300)


def test_the_old_and_the_new_signature_while_the_secret_is_replaced() -> None:
    time, signature = VECTOR["header"].split(",")

    verify(f"{time},v1={'0' * 64},{signature}")


@pytest.mark.parametrize(
    ("header", "options"),
    [
        (VECTOR["header"], {"body": VECTOR["raw_body"] + " "}),
        (VECTOR["header"], {"secret": "another"}),
        (VECTOR["header"], {"late": 301}),
        (VECTOR["header"], {"late": -301}),
        (f"t={VECTOR_TIME},v1={VECTOR['wrong_with_dot']}", {}),
        (VECTOR["header"].replace(f"t={VECTOR_TIME}", f"t={VECTOR_TIME + 1}"), {}),
        (VECTOR["header"].partition(",")[2], {}),
        (f"t={VECTOR_TIME}", {}),
        ("", {}),
    ],
    ids=[
        "other bytes",
        "another secret",
        "stale",
        "from the future",
        "signed with a dot",
        "another time",
        "no time",
        "no signature",
        "missing",
    ],
)
def test_a_wrong_signature(header: str, options: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verify(header, **options)
