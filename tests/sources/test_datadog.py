"""Datadog's webhooks."""

import json
import re
from typing import Any

import pytest

from relay.errors import BadRequest
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from relay.sources.tools.datadog import TEMPLATE
from tests.sources.samples import entities, samples, translated
from tests.support.template import ROOT

SAMPLES = samples("datadog")
TRIGGERED = SAMPLES["triggered"]


def test_a_triggered_alert() -> None:
    [incident] = entities("datadog", TRIGGERED)

    assert incident == {
        "schemaVersion": "1.0",
        "id": "datadog-9223372036854775807",
        "updateSequenceNumber": 1770000956000000,
        "affectedComponents": ["checkout-api"],
        "summary": "Checkout latency",
        "description": "p99 above 2 s",
        "url": "https://app.datadoghq.com/monitors/1234",
        "createdDate": "2026-02-02T02:55:56Z",
        "lastUpdated": "2026-02-02T02:55:56Z",
        "severity": {"level": "P2"},
        "status": "open",
        "associations": [{"associationType": "issueIdOrKeys", "values": ["OPS-12"]}],
    }


def test_it_keeps_its_id_when_it_recovers() -> None:
    [incident] = entities("datadog", SAMPLES["recovered"])

    assert incident["id"] == "datadog-9223372036854775807"
    assert incident["status"] == "resolved"
    assert incident["updateSequenceNumber"] == 1770001556000000


@pytest.mark.parametrize(
    ("transition", "status"),
    [
        ("Triggered", "open"),
        ("Re-Triggered", "open"),
        ("Warn", "open"),
        ("Re-Warn", "open"),
        ("No Data", "open"),
        ("Re-No Data", "open"),
        ("Renotify", "open"),
        ("Recovered", "resolved"),
        ("Warn Recovered", "resolved"),
        ("No Data Recovered", "resolved"),
        (None, "open"),
    ],
)
def test_the_transition(transition: str | None, status: str) -> None:
    [incident] = entities("datadog", {**TRIGGERED, "transition": transition})

    assert incident["status"] == status


def test_variables_without_a_value_are_missing() -> None:
    [incident] = entities("datadog", SAMPLES["unset"])

    assert incident == {
        "schemaVersion": "1.0",
        "id": "datadog-9223372036854775806",
        "updateSequenceNumber": 1770000956001000,
        "affectedComponents": ["datadog"],
        "summary": "Disk fills up",
        "description": "Disk fills up (Datadog 9223372036854775806)",
        "url": "https://ops.example.com/payments",
        "createdDate": "2026-02-02T02:55:56.001000Z",
        "lastUpdated": "2026-02-02T02:55:56.001000Z",
        "status": "open",
    }


def test_a_title_may_begin_with_a_dollar() -> None:
    [incident] = entities("datadog", {**TRIGGERED, "title": "$100 payments fail"})

    assert incident["summary"] == "$100 payments fail"


def test_an_event_without_an_alert_is_ignored() -> None:
    reading = tool_of("datadog").read(SAMPLES["event"], SourceSettings())

    assert (reading.changes, reading.ignored) == ((), "an event without a monitor's alert")


def test_each_tag_counts() -> None:
    tags = "env:prod, service:a,service:b:c,service:,services:d,jira:ops-1,jira:OPS-2,lonely"

    [incident] = entities("datadog", {**TRIGGERED, "tags": tags})

    assert incident["affectedComponents"] == ["a", "b:c"]
    assert incident["associations"][0]["values"] == ["OPS-1", "OPS-2"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"cycle": None}, "cycle"),
        ({"cycle": "$ALERT_CYCLE_KEY"}, "cycle"),
        ({"cycle": 9}, "cycle"),
        ({"updated": None}, "updated"),
        ({"updated": "$LAST_UPDATED"}, "updated"),
        ({"updated": "today"}, "updated"),
        ({"updated": 1770000956000.5}, "updated"),
        ({"relay": "2"}, "relay"),
    ],
)
def test_what_is_needed_is_refused_by_name(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        translated("datadog", {**TRIGGERED, **fields})

    assert [detail.path for detail in refused.value.details] == [path]


@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": 1}])
def test_optional_fields_of_another_type_cost_nothing_else(value: Any) -> None:
    others = [name for name in TRIGGERED if name not in ("relay", "cycle", "updated")]

    [incident] = entities("datadog", {**TRIGGERED, **dict.fromkeys(others, value)})

    assert incident["id"] == "datadog-9223372036854775807"


def test_datadogs_own_payload_is_refused_with_a_hint() -> None:
    with pytest.raises(BadRequest) as refused:
        translated("datadog", {"body": "", "title": "[Triggered] Checkout", "id": "1"})

    assert "template" in refused.value.message
    assert refused.value.error_code == "wrong_payload"


def test_the_template_is_in_the_steps_and_on_the_page() -> None:
    page = (ROOT / "docs" / "sources" / "datadog.md").read_text("utf-8")
    shown = re.findall(r"```json\n(.*?)```", page[: page.index("## Example")], re.DOTALL)
    steps = [step for step in tool_of("datadog").setup if "$ALERT_CYCLE_KEY" in step]

    assert [json.loads(block) for block in shown] == [TEMPLATE]
    assert [json.loads(step[step.index("{") :]) for step in steps] == [TEMPLATE]


def test_the_samples_are_filled_in_templates() -> None:
    assert [list(sample) for sample in SAMPLES.values()] == [list(TEMPLATE)] * len(SAMPLES)
