"""incident.io's webhooks."""

import base64
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from standardwebhooks import Webhook, webhooks

from relay.errors import BadRequest, Unauthenticated
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import call, entities, samples, translated

SAMPLES = samples("incidentio")
CREATED = "public_incident.incident_created_v2"
STATUS_UPDATED = "public_incident.incident_status_updated_v2"
SECRET = "whsec_" + base64.b64encode(b"the secret of the endpoint").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"the secret of another endpoint").decode()
BODY = '{"event_type": "public_incident.incident_created_v2"}'


def created(**fields: Any) -> dict[str, Any]:
    return {"event_type": CREATED, CREATED: {**SAMPLES["created"][CREATED], **fields}}


def signed(body: str = BODY, secret: str = SECRET, age: timedelta = timedelta()) -> dict[str, str]:
    at = datetime.now(UTC) - age
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("msg_1", at, body),
    }


def verify(headers: dict[str, str], body: bytes = BODY.encode(), secret: str = SECRET) -> None:
    verify = tool_of("incidentio").verify
    assert verify
    verify(call(body, headers), secret, SourceSettings())


def test_an_incident() -> None:
    assert entities("incidentio", SAMPLES["created"]) == [
        {
            "schemaVersion": "1.0",
            "id": "incidentio-01EXAMPLEINC0000000000001",
            "updateSequenceNumber": 1786973462110000,
            "affectedComponents": ["incidentio"],
            "summary": "Checkout answers slowly",
            "description": "p99 above 2 s",
            "url": "https://app.incident.io/example/incidents/123",
            "createdDate": "2026-08-17T13:28:57.801578Z",
            "lastUpdated": "2026-08-17T13:31:02.110000Z",
            "severity": {"level": "P2"},
            "status": "open",
        }
    ]


def test_a_status_event_wraps_the_incident_and_brings_its_review() -> None:
    incident, review = entities("incidentio", SAMPLES["status_updated"])

    assert incident["id"] == "incidentio-01EXAMPLEINC0000000000001"
    assert incident["status"] == "resolved"
    assert review == {
        "schemaVersion": "1.0",
        "id": "incidentio-01EXAMPLEINC0000000000001-pir",
        "updateSequenceNumber": 1786973462110000,
        "reviews": ["incidentio-01EXAMPLEINC0000000000001"],
        "summary": "Review of Checkout answers slowly",
        "description": "Review of Checkout answers slowly",
        "url": "https://docs.example.com/pir/123",
        "createdDate": "2026-08-17T13:28:57.801578Z",
        "lastUpdated": "2026-08-17T13:31:02.110000Z",
        "status": "completed",
    }


def test_an_update_has_a_higher_sequence_and_its_jira_issue() -> None:
    [before] = entities("incidentio", SAMPLES["created"])
    [after] = entities("incidentio", SAMPLES["updated"])

    assert after["id"] == before["id"]
    assert after["updateSequenceNumber"] > before["updateSequenceNumber"]
    assert after["associations"] == [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}]


def test_a_severity_of_ones_own_needs_the_setting() -> None:
    [unknown] = entities("incidentio", SAMPLES["updated"])
    [known] = entities("incidentio", SAMPLES["updated"], severities={"customer outage": "P1"})

    assert unknown["severity"] == {"level": "unknown"}
    assert known["severity"] == {"level": "P1"}


def test_an_issue_of_another_tracker_is_not_associated() -> None:
    reference = {"provider": "linear", "issue_name": "ENG-7"}

    [incident] = entities("incidentio", created(external_issue_reference=reference))

    assert "associations" not in incident


@pytest.mark.parametrize(
    ("category", "status"),
    [
        ("triage", "open"),
        ("live", "open"),
        ("paused", "open"),
        ("learning", "resolved"),
        ("closed", "resolved"),
        ("declined", "resolved"),
        ("merged", "resolved"),
        ("canceled", "resolved"),
        ("asleep", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_statuses(category: str | None, status: str) -> None:
    [incident] = entities("incidentio", created(incident_status={"category": category}))

    assert incident["status"] == status


def test_a_review_in_the_learning_phase_is_in_progress() -> None:
    _, review = entities(
        "incidentio",
        created(
            incident_status={"category": "learning"}, postmortem_document_url="https://example.com"
        ),
    )

    assert review["status"] == "in progress"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (SAMPLES["private"], "a private incident"),
        (created(visibility="private"), "a private incident"),
        (SAMPLES["follow_up"], "this type of event does not carry an incident"),
        ({"event_type": "new", "new": {}}, "this type of event does not carry an incident"),
        (created(mode="test"), "an incident of the mode test"),
        (created(mode="tutorial"), "an incident of the mode tutorial"),
        (created(mode="stream"), "an incident of the mode stream"),
    ],
)
def test_ignored_events(payload: dict[str, Any], reason: str) -> None:
    reading = tool_of("incidentio").read(payload, SourceSettings())

    assert not reading.changes
    assert reading.ignored == reason


def test_a_retrospective_incident_counts() -> None:
    assert len(entities("incidentio", created(mode="retrospective"))) == 1


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (created(id=None), f"{CREATED}.id"),
        (created(updated_at=None), f"{CREATED}.updated_at"),
        (created(updated_at=1786973462), f"{CREATED}.updated_at"),
        ({"event_type": CREATED}, CREATED),
        ({"event_type": CREATED, CREATED: []}, CREATED),
        ({"event_type": STATUS_UPDATED, STATUS_UPDATED: {}}, f"{STATUS_UPDATED}.incident"),
    ],
)
def test_what_is_required(payload: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("incidentio", payload)

    assert [detail.path for detail in refused.value.details] == [path]


def test_what_is_not_required() -> None:
    [incident] = entities(
        "incidentio",
        {"event_type": CREATED, CREATED: {"id": "01", "updated_at": "2026-08-17T13:31:02Z"}},
    )

    assert incident["summary"] == "incident.io 01"
    assert incident["createdDate"] == incident["lastUpdated"] == "2026-08-17T13:31:02Z"


def test_a_right_signature() -> None:
    verify(signed())


def test_one_of_two_signatures_suffices_while_the_secret_is_rotated() -> None:
    old, new = signed(secret=OTHER_SECRET), signed()

    verify({**new, "Webhook-Signature": f"{old['Webhook-Signature']} {new['Webhook-Signature']}"})


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_a_missing_header(name: str) -> None:
    headers = signed()
    del headers[name]

    with pytest.raises(Unauthenticated):
        verify(headers)


@pytest.mark.parametrize(
    "options",
    [
        {"body": BODY + " "},
        {"secret": OTHER_SECRET},
        {"age": timedelta(minutes=6)},
        {"age": -timedelta(minutes=6)},
    ],
    ids=["other bytes", "another secret", "stale", "from the future"],
)
def test_a_signature_of_something_else(options: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        verify(signed(**options))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Webhook-Id", "msg_2"),
        ("Webhook-Timestamp", "soon"),
        ("Webhook-Signature", "v1,not base64"),
        ("Webhook-Signature", "v1"),
        ("Webhook-Signature", "v1,ä"),
        ("Webhook-Signature", ",,"),
    ],
)
def test_a_wrong_header(name: str, value: str) -> None:
    with pytest.raises(Unauthenticated):
        verify({**signed(), name: value})


def test_a_body_that_is_not_utf_8() -> None:
    with pytest.raises(Unauthenticated):
        verify(signed(), b"\xff")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_A", "not base64: ä"])
def test_a_secret_that_can_not_be_right(secret: str) -> None:
    with pytest.raises(Unauthenticated):
        verify(signed(), secret=secret)


class _AtTheVectorsTime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "_AtTheVectorsTime":
        return cls.fromtimestamp(1614265330, tz)


def test_the_vector_of_standard_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "datetime", _AtTheVectorsTime)

    verify(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
