"""FireHydrant's webhooks."""

import hashlib
import hmac
from typing import Any

import pytest

from relay.errors import BadRequest, Unauthenticated
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import call, entities, samples, translated

SAMPLES = samples("firehydrant")
BODY = b'{"event": {"resource_type": "incident"}, "data": {}}'
SECRET = "example-secret"


def created(**fields: Any) -> dict[str, Any]:
    incident = {**SAMPLES["created"]["data"]["incident"], **fields}
    return {**SAMPLES["created"], "data": {"incident": incident}}


def signature(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(headers: dict[str, str]) -> None:
    verify = tool_of("firehydrant").verify
    assert verify
    verify(call(BODY, headers), SECRET, SourceSettings())


def test_an_incident() -> None:
    assert entities("firehydrant", SAMPLES["created"]) == [
        {
            "schemaVersion": "1.0",
            "id": "firehydrant-21fe20b5-8012-4a51-a34c-623b1389af66",
            "updateSequenceNumber": 1772462586000000,
            "affectedComponents": ["firehydrant-svc-1"],
            "summary": "Checkout answers slowly",
            "description": "p99 above 2 s",
            "url": "https://app.firehydrant.io/incidents/42",
            "createdDate": "2026-03-02T14:43:05Z",
            "lastUpdated": "2026-03-02T14:43:06Z",
            "severity": {"level": "P1"},
            "status": "open",
        }
    ]


def test_its_service_becomes_a_container() -> None:
    [service] = translated("firehydrant", SAMPLES["created"]).services

    assert (service.id, service.name) == ("firehydrant-svc-1", "Checkout API")


def test_without_a_service_the_setting_is_the_component() -> None:
    [incident] = entities("firehydrant", created(services=[]), component="platform")

    assert incident["affectedComponents"] == ["platform"]


def test_a_resolved_incident_with_levels_as_objects_and_a_label() -> None:
    [incident] = entities("firehydrant", SAMPLES["resolved"])

    assert incident["id"] == "firehydrant-21fe20b5-8012-4a51-a34c-623b1389af66"
    assert incident["status"] == "resolved"
    assert incident["severity"] == {"level": "P1"}
    assert incident["updateSequenceNumber"] == 1772464201000000
    assert incident["associations"] == [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}]


@pytest.mark.parametrize(
    ("milestone", "status"),
    [
        ("started", "open"),
        ("acknowledged", "open"),
        ("mitigated", "open"),
        ("resolved", "resolved"),
        ("closed", "resolved"),
        ("postmortem_started", "resolved"),
        ("retrospective_completed", "resolved"),
        (None, "open"),
    ],
)
def test_the_milestones(milestone: str | None, status: str) -> None:
    [incident] = entities("firehydrant", created(current_milestone=milestone))

    assert incident["status"] == status


@pytest.mark.parametrize(
    ("priority", "severity", "level"),
    [
        ("P3", "SEV1", "P3"),
        (None, "SEV2", "P2"),
        ({"slug": "P4"}, None, "P4"),
        ({}, {"slug": "SEV3"}, "P3"),
        ("", "Our own", "unknown"),
    ],
)
def test_the_priority_comes_before_the_severity(priority: Any, severity: Any, level: str) -> None:
    [incident] = entities("firehydrant", created(priority=priority, severity=severity))

    assert incident["severity"] == {"level": level}


@pytest.mark.parametrize(
    "time", ["2026-03-02 15:00:00 UTC", "2026-03-02 15:00:00 +0000", "2026-03-02T16:00:00+01:00"]
)
def test_the_spellings_of_a_time(time: str) -> None:
    [incident] = entities("firehydrant", created(updated_at=time))

    assert incident["updateSequenceNumber"] == 1772463600000000
    assert incident["lastUpdated"] == "2026-03-02T15:00:00Z"


def test_times_that_people_set_do_not_order_the_states() -> None:
    milestone = {"type": "started", "occurred_at": "2026-12-01 00:00:00 UTC"}

    [incident] = entities(
        "firehydrant", created(started_at="2026-12-01 00:00:00 +0000", milestones=[milestone])
    )

    assert incident["updateSequenceNumber"] == 1772462585000000


def test_issue_keys_in_all_of_its_texts() -> None:
    [incident] = entities(
        "firehydrant",
        created(summary="OPS-1", description="OPS-2", customer_impact_summary="OPS-3"),
    )

    assert incident["associations"][0]["values"] == ["OPS-1", "OPS-2", "OPS-3"]


def test_no_text_at_all() -> None:
    [incident] = entities(
        "firehydrant", created(summary="", description=" ", customer_impact_summary=None)
    )

    assert incident["description"] == "Checkout answers slowly (FireHydrant incident 42)"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (SAMPLES["change_event"], "this type of event does not carry an incident"),
        (created(restricted=True), "a private incident"),
        (created(restricted="yes"), "a private incident"),
        (created(severity={"slug": "GAMEDAY", "type": "gameday"}), "a test incident"),
        (created(severity={"slug": "MAINTENANCE", "type": "maintenance"}), "scheduled maintenance"),
        (
            {**created(), "event": {"resource_type": "incident", "operation": "DELETED"}},
            "this operation is not known",
        ),
    ],
)
def test_ignored_events(payload: dict[str, Any], reason: str) -> None:
    reading = tool_of("firehydrant").read(payload, SourceSettings())

    assert not reading.changes
    assert reading.ignored == reason


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (created(id=None), "data.incident.id"),
        (created(created_at=None), "data.incident.created_at"),
        (created(created_at="2026-03-02 14:43:05"), "data.incident.created_at"),
        ({**SAMPLES["created"], "data": {}}, "data.incident"),
        ({**SAMPLES["created"], "event": {}}, "event.resource_type"),
    ],
)
def test_what_is_required(payload: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("firehydrant", payload)

    assert [detail.path for detail in refused.value.details] == [path]


def test_what_is_not_required() -> None:
    [incident] = entities(
        "firehydrant",
        {
            "event": {"resource_type": "incident"},
            "data": {"incident": {"id": "1", "created_at": "2026-03-02 14:43:05 UTC"}},
        },
    )

    assert incident["summary"] == "FireHydrant 1"
    assert incident["affectedComponents"] == ["firehydrant"]


def test_fields_of_other_types_do_not_cost_the_incident() -> None:
    payload = created(updated_at=7, milestones={}, priority=[], services=[1, {"id": "a"}], labels=1)

    [incident] = entities("firehydrant", payload)

    assert incident["affectedComponents"] == ["firehydrant-a"]
    assert incident["updateSequenceNumber"] == 1772462585000000


def test_the_right_signature() -> None:
    verify({"Fh-Signature": signature()})


@pytest.mark.parametrize(
    "headers",
    [
        {"fh-signature": signature(BODY + b" ")},
        {"fh-signature": signature(secret="another")},
        {"fh-signature": signature()[:-1]},
        {"fh-signature": "ä"},
        {"fh-signature": ""},
        {},
    ],
    ids=["other bytes", "another secret", "too short", "not ASCII", "empty", "missing"],
)
def test_a_wrong_signature(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        verify(headers)
