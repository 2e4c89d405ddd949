"""Any tool's JSON, by a mapping of JMESPath expressions."""

import json
from typing import Any

import pytest

from relay.errors import BadRequest
from relay.sources.custom_mapping import CustomMapping
from relay.sources.settings import SourceSettings
from relay.sources.tool import ITEMS_MAX, tool_of
from tests.sources.samples import entities, samples, settings_of, translated

SAMPLES = samples("custom")
ALARMS = SAMPLES["two_alarms"]
MAPPING = settings_of("custom")["mapping"]
# A mapping of a payload that is one incident, with names as the mapping's fields have.
PLAIN = {name: name for name in CustomMapping.model_fields if name not in ("items", "event")}
ONE = {
    "id": "A-1",
    "lastUpdated": "2026-02-06T00:19:58Z",
    "status": "open",
    "summary": "Checkout is slow",
}


def with_alarm(number: int, **fields: Any) -> dict[str, Any]:
    alarms = [dict(alarm) for alarm in ALARMS["alarms"]]
    alarms[number] |= fields
    return {**ALARMS, "alarms": alarms}


def one(**fields: Any) -> dict[str, Any]:
    """The entity of ONE with these fields."""
    [entity] = entities("custom", ONE | fields, mapping=PLAIN)
    found: dict[str, Any] = entity
    return found


def test_two_alarms() -> None:
    raised, cleared = entities("custom", ALARMS)

    assert raised == {
        "schemaVersion": "1.0",
        "id": "custom-4711",
        "updateSequenceNumber": 1770337138432000,
        "affectedComponents": ["custom-svc-7"],
        "summary": "Checkout is slow",
        "description": "p99 is above 2 s. It began with the deployment",
        "url": "https://alarms.example.com/4711",
        "createdDate": "2026-02-06T00:17:58Z",
        "lastUpdated": "2026-02-06T00:18:58.432000Z",
        "severity": {"level": "P1"},
        "status": "open",
        "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}],
    }
    assert cleared["status"] == "resolved"
    assert cleared["updateSequenceNumber"] == 1770337198500000


def test_an_alarm_keeps_its_id_when_it_is_cleared() -> None:
    cleared = entities("custom", with_alarm(0, state="cleared", changed=1770337199000))[0]

    assert (cleared["id"], cleared["status"]) == ("custom-4711", "resolved")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("drill", "the mapping ignores it"), ("none", "the payload has no items")],
)
def test_what_holds_no_incident_is_ignored(name: str, reason: str) -> None:
    settings = SourceSettings.model_validate(settings_of("custom"))
    reading = tool_of("custom").read(SAMPLES[name], settings)

    assert (list(reading.changes), reading.ignored) == ([], reason)
    assert reading.event == SAMPLES[name]["kind"]


@pytest.mark.parametrize("value", [None, False, "", [], {}])
def test_what_is_not_ignored(value: Any) -> None:
    assert one(ignore=value)["id"] == "custom-A-1"


@pytest.mark.parametrize("value", [True, "yes", 0, [0], {"a": None}])
def test_what_is_ignored(value: Any) -> None:
    assert not translated("custom", ONE | {"ignore": value}, mapping=PLAIN).states


@pytest.mark.parametrize("event", [None, 7.5, "deploy.failed"])
def test_the_events_name(event: Any) -> None:
    settings = SourceSettings.model_validate({"mapping": {**PLAIN, "event": "event"}})
    reading = tool_of("custom").read(ONE | {"event": event}, settings)

    assert reading.event == (event if isinstance(event, str) else "event")
    assert len(reading.changes) == 1


# --- Values ---


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("2026-02-06T00:19:58.123456789Z", 1770337198123456),
        ("2026-02-06 01:19:58+0100", 1770337198000000),
        (1770337198, 1770337198000000),
        ("1770337198", 1770337198000000),
        (1770337198123, 1770337198123000),
        (1770337198123456, 1770337198123456),
        (1770337198123456789, 1770337198123456),
        ("9999999999999999999", 9999999999999999),
    ],
)
def test_time_stamps(value: Any, micros: int) -> None:
    assert one(lastUpdated=value)["updateSequenceNumber"] == micros


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "yesterday",
        "2026-02-06T00:19:58",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        1770337198.5,
        1.770337198e9,
        999999999,
        17703371981,
        177033719812,
        "0770337198",
        -1770337198,
        10**400,
        [1770337198],
    ],
)
def test_what_is_no_time_stamp(value: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("custom", ONE | {"lastUpdated": value}, mapping=PLAIN)

    [detail] = refused.value.details
    assert (detail.path, detail.rule) == ("lastUpdated", "mapping")


@pytest.mark.parametrize("status", ["open", "resolved", "unknown"])
def test_each_status_in_any_case(status: str) -> None:
    assert one(status=status.upper())["status"] == status


def test_an_id_beyond_2_to_the_53() -> None:
    assert one(id=2**53 + 1)["id"] == "custom-9007199254740993"


def test_a_severity_by_the_sources_own_names_then_by_relays() -> None:
    mapping = {**PLAIN, "severity": "severity"}
    payload = ONE | {"severity": 1}
    [own] = entities("custom", payload, mapping=mapping, severities={"1": "P1"})

    assert own["severity"] == {"level": "P1"}
    assert one(severity="Critical")["severity"] == {"level": "P1"}
    assert one(severity="dire")["severity"] == {"level": "unknown"}
    assert "severity" not in one(severity=None)


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("checkout", ["checkout"]),
        (["checkout", "", None, "carts"], ["checkout", "carts"]),
        ({"id": 7, "name": "Checkout"}, ["custom-7"]),
        ([{"id": "7"}, {"name": "carts"}, {"id": None, "name": ""}], ["custom-7", "carts"]),
        ([], ["custom"]),
    ],
)
def test_affected_components(value: Any, ids: list[str]) -> None:
    assert one(affectedComponents=value)["affectedComponents"] == ids


@pytest.mark.parametrize("value", ["see ops-12 and OPS-13", ["OPS-12", None, "OPS-13"]])
def test_issue_keys(value: Any) -> None:
    assert one(issueKeys=value)["associations"][0]["values"] == ["OPS-12", "OPS-13"]


def test_an_empty_summary_becomes_the_id() -> None:
    assert one(summary="")["summary"] == "Custom source A-1"


@pytest.mark.parametrize("value", [None, ""])
def test_optional_parts_that_are_empty(value: Any) -> None:
    names = ("createdDate", "url", "description", "severity", "affectedComponents", "issueKeys")

    assert one(**dict.fromkeys(names, value)) == one()


# --- Bad items ---

BAD = [
    ({"key": None}, "id", "mapping"),
    ({"key": " "}, "id", "mapping"),
    ({"key": 1.5}, "id", "mapping"),
    ({"key": True}, "id", "mapping"),
    ({"key": "\ud800"}, "id", "mapping"),
    ({"changed": "now"}, "lastUpdated", "mapping"),
    ({"name": None}, "summary", "mapping"),
    ({"name": ["Checkout"]}, "summary", "mapping"),
]


@pytest.mark.parametrize(("fields", "field", "rule"), BAD)
def test_a_bad_item_leaves_the_good_one(fields: dict[str, Any], field: str, rule: str) -> None:
    found = translated("custom", with_alarm(0, **fields))

    assert [state.entity["status"] for state in found.states] == ["resolved"]
    assert [(one.path, one.rule) for one in found.refused] == [(f"items[0].{field}", rule)]


@pytest.mark.parametrize(
    "text", [b'"\\ud800"', b"NaN", b"1" * 5000, b"[" * 3000 + b"]" * 3000, b'"\xff"']
)
def test_an_item_that_is_not_json_leaves_the_good_one(text: bytes) -> None:
    body = json.dumps(with_alarm(0, key="@")).encode().replace(b'"@"', text)

    found = translated("custom", body)

    assert [state.entity["status"] for state in found.states] == ["resolved"]
    assert [one.path for one in found.refused] == ["items[0].id"]


@pytest.mark.parametrize(
    ("field", "expression", "rule"),
    [
        ("status", "state", "mapping"),
        ("status", "state == 'raised'", "mapping"),
        ("status", "missing", "mapping"),
        ("ignore", "contains(name, `5`)", "jmespath"),
        ("id", "join('-', [name, key])", "jmespath"),
        ("id", "avg([key, name])", "jmespath"),
        ("id", "&key", "mapping"),
        ("lastUpdated", "ceil(`1e999`)", "jmespath"),
        ("summary", "[name][::0]", "jmespath"),
    ],
)
def test_an_expression_that_does_not_fit(field: str, expression: str, rule: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("custom", ALARMS, mapping={**MAPPING, field: expression})

    assert refused.value.error_code == "wrong_payload"
    assert [(one.path, one.rule) for one in refused.value.details] == [
        (f"items[{number}].{field}", rule) for number in (0, 1)
    ]
    assert not any("Checkout" in one.message for one in refused.value.details)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"notes": [7]}, "description"),
        ({"notes": "text"}, "description"),
        ({"began": "today"}, "createdDate"),
        ({"links": {"page": {}}}, "url"),
        ({"level": ["red"]}, "severity"),
        ({"services": [{"key": {}}]}, "affectedComponents"),
        ({"tickets": [{}, {"key": "OPS-1"}]}, "issueKeys"),
    ],
)
def test_an_optional_part_that_does_not_fit_is_left_out(fields: Any, field: str) -> None:
    found = translated("custom", with_alarm(0, **fields))

    assert [state.entity["id"] for state in found.states] == ["custom-4711", "custom-4712"]
    assert [one.path for one in found.refused] == [f"items[0].{field}"]


@pytest.mark.parametrize("items", [None, {}, "none", 7])
def test_items_that_are_no_list(items: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("custom", {"alarms": items})

    assert [one.path for one in refused.value.details] == ["items"]


def test_more_items_than_one_call_may_have() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("custom", [ONE] * (ITEMS_MAX + 1), mapping=PLAIN | {"items": "@"})

    assert [one.rule for one in refused.value.details] == ["too_long"]


def test_of_many_items_that_do_not_fit_ten_are_named() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("custom", [{}] * 1000, mapping=PLAIN | {"items": "@"})

    assert len(refused.value.details) == 10
