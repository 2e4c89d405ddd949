"""The webhooks of status pages: Statuspage and Better Stack."""

from typing import Any

import pytest

from relay.errors import BadRequest
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import entities, samples, translated

SAMPLES = samples("statuspage")
IDENTIFIED = SAMPLES["identified"]


def with_incident(name: str = "identified", /, **fields: Any) -> dict[str, Any]:
    return {**SAMPLES[name], "incident": {**SAMPLES[name]["incident"], **fields}}


def test_an_incident() -> None:
    [incident] = entities("statuspage", IDENTIFIED)

    assert incident == {
        "schemaVersion": "1.0",
        "id": "statuspage-z3lct0r596n4",
        "updateSequenceNumber": 1798270320603000,
        "affectedComponents": ["statuspage-cmp1"],
        "summary": "Checkout answers slowly",
        "description": "We found the cause.",
        "url": "https://stspg.io/646947c1e",
        "createdDate": "2026-12-26T07:32:00.507000Z",
        "lastUpdated": "2026-12-26T07:32:00.603000Z",
        "severity": {"level": "P2"},
        "status": "open",
    }


def test_its_components_become_containers() -> None:
    [service] = translated("statuspage", IDENTIFIED).services

    assert (service.id, service.name) == ("statuspage-cmp1", "Checkout")


def test_a_resolved_incident_keeps_its_id() -> None:
    [incident] = entities("statuspage", SAMPLES["resolved"])

    assert incident["id"] == "statuspage-z3lct0r596n4"
    assert incident["status"] == "resolved"
    assert incident["updateSequenceNumber"] == 1798275600000000
    assert incident["associations"][0]["values"] == ["OPS-12"]


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("investigating", "open"),
        ("identified", "open"),
        ("monitoring", "open"),
        ("resolved", "resolved"),
        ("postmortem", "resolved"),
    ],
)
def test_the_status(status: str, wanted: str) -> None:
    [incident, *_] = entities("statuspage", with_incident(status=status))

    assert incident["status"] == wanted


@pytest.mark.parametrize(
    ("impact", "level"), [("critical", "P1"), ("major", "P2"), ("minor", "P3"), ("none", "P5")]
)
def test_the_impact_is_the_severity(impact: str, level: str) -> None:
    [incident] = entities("statuspage", with_incident(impact=impact))

    assert incident["severity"] == {"level": level}


def test_a_postmortem_is_a_review() -> None:
    incident, review = entities("statuspage", SAMPLES["postmortem"])

    assert incident["status"] == "resolved"
    assert review == {
        "schemaVersion": "1.0",
        "id": "statuspage-z3lct0r596n4-pir",
        "updateSequenceNumber": 1798362000000000,
        "reviews": ["statuspage-z3lct0r596n4"],
        "summary": "Postmortem: Checkout answers slowly",
        "description": "## What happened",
        "url": "https://stspg.io/646947c1e",
        "createdDate": "2026-12-27T09:00:00Z",
        "lastUpdated": "2026-12-27T09:00:00Z",
        "status": "completed",
    }


def test_a_postmortem_comes_after_the_resolution_though_updated_at_stands_still() -> None:
    resolved, postmortem = (
        entities("statuspage", SAMPLES[name])[0] for name in ("resolved", "postmortem")
    )

    assert SAMPLES["postmortem"]["incident"]["updated_at"] < resolved["lastUpdated"]
    assert postmortem["updateSequenceNumber"] > resolved["updateSequenceNumber"]


def test_a_postmortem_that_is_not_published_is_not_sent() -> None:
    payload = with_incident("resolved", postmortem_body="## Draft")

    assert [entity["id"] for entity in entities("statuspage", payload)] == [
        "statuspage-z3lct0r596n4"
    ]


def test_issue_keys_are_found_in_every_update() -> None:
    bodies = [{"body": "See OPS-1."}, {"body": 7}, {"body": "Also OPS-2."}]

    [incident] = entities("statuspage", with_incident(name="OPS-3", incident_updates=bodies))

    assert incident["associations"][0]["values"] == ["OPS-3", "OPS-1", "OPS-2"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("component", "the state of a component, not an incident"),
        ("maintenance", "a scheduled maintenance"),
        ("better_stack_maintenance", "a scheduled maintenance"),
        ("better_stack_component", "the state of a component, not an incident"),
    ],
)
def test_ignored_notifications(name: str, reason: str) -> None:
    reading = tool_of("statuspage").read(SAMPLES[name], SourceSettings())

    assert (reading.changes, reading.ignored) == ((), reason)


@pytest.mark.parametrize("status", ["scheduled", "in_progress", "verifying", "completed"])
def test_a_maintenance_is_ignored_by_its_status(status: str) -> None:
    payload = with_incident(status=status, scheduled_for=None)

    assert tool_of("statuspage").read(payload, SourceSettings()).ignored


def test_an_incident_of_better_stack() -> None:
    [incident] = entities("statuspage", SAMPLES["better_stack"])

    assert incident == {
        "schemaVersion": "1.0",
        "id": "statuspage-55012",
        "updateSequenceNumber": 1795175100000000,
        "affectedComponents": ["statuspage"],
        "summary": "Checkout is down",
        "description": "We found the cause, see OPS-12.",
        "url": "https://status.example.com/incidents/55012",
        "createdDate": "2026-11-20T10:30:00Z",
        "lastUpdated": "2026-11-20T11:45:00Z",
        "status": "open",
        "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}],
    }


def test_better_stacks_incident_is_over_when_its_page_shows_no_trouble() -> None:
    [incident] = entities("statuspage", SAMPLES["better_stack_resolved"])

    assert (incident["id"], incident["status"]) == ("statuspage-55012", "resolved")


def test_an_id_of_better_stack_may_be_a_number() -> None:
    [incident] = entities("statuspage", with_incident("better_stack", id=2**53 + 1))

    assert incident["id"] == "statuspage-9007199254740993"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"id": None}, "incident.id"),
        ({"id": ""}, "incident.id"),
        ({"id": True}, "incident.id"),
        ({"updated_at": None}, "incident.updated_at"),
        ({"updated_at": "2026-12-26"}, "incident.updated_at"),
    ],
)
def test_what_is_needed_is_refused_by_name(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("statuspage", with_incident(**fields))

    assert [detail.path for detail in refused.value.details] == [path]


@pytest.mark.parametrize("value", [None, 7, "x", ["x"], {"x": 1}])
def test_optional_fields_of_another_type_cost_nothing_else(value: Any) -> None:
    kept = ("id", "updated_at", "scheduled_for")
    others = [name for name in IDENTIFIED["incident"] if name not in kept]

    payload = with_incident(**dict.fromkeys(others, value)) | {"page": value, "meta": value}
    [incident] = entities("statuspage", payload)

    assert incident["id"] == "statuspage-z3lct0r596n4"
    assert incident["status"] == "open"
