"""The page of custom sources: its fields, its expressions, and its ready mappings."""

import json
import re
from typing import Any

import pytest

from relay.sources.custom_mapping import EXPRESSION_MAX, CustomMapping
from relay.sources.expressions import DEPTH_MAX, STEPS_MAX, compiled
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import document, entities, settings_of, translated
from tests.sources.test_all import PAGES, replaced

PAGE = (PAGES / "custom.md").read_text("utf-8")


def part(heading: str) -> str:
    """The text below the heading, up to the next one."""
    [text] = re.findall(rf"^{heading}\n(.*?)(?=^## |^### |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    found: str = text
    return found


def blocks(text: str) -> list[Any]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


READY = re.findall(r"^### (.+)$", PAGE[PAGE.index("## Ready mappings") :], re.MULTILINE)
# Where a payload says that its incident is resolved.
RESOLVED: dict[str, tuple[tuple[str, ...], Any]] = {
    "ServiceNow": (("state",), "7"),
    "Zenduty": (("payload", "event_type"), "resolved"),
    "Squadcast": (("data", "resource_data", "status"), "resolved"),
    "New Relic": (("state",), "CLOSED"),
    "Google Cloud Monitoring": (("incident", "state"), "closed"),
    "Checkly": (("type",), "ALERT_RECOVERY"),
    "Uptime Kuma": (("heartbeat", "status"), 1),
}


@pytest.mark.parametrize("name", READY)
def test_a_ready_mapping_gives_what_the_page_shows(name: str) -> None:
    settings, payload, shown = blocks(part(f"### {name}"))
    check = tool_of("custom").check
    assert check
    check(SourceSettings.model_validate(settings))

    found = translated("custom", payload, **{"severities": None, **settings})

    assert not found.refused
    assert document(found) == shown


@pytest.mark.parametrize("name", READY)
def test_a_ready_mapping_resolves_the_same_incident(name: str) -> None:
    settings, payload, shown = blocks(part(f"### {name}"))
    place, value = RESOLVED[name]

    [resolved] = entities("custom", replaced(payload, place, value), **settings)

    [before] = shown["incidents"]
    assert (before["status"], resolved["status"]) == ("open", "resolved")
    assert before["id"] == resolved["id"]


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("Squadcast", ("event", "resource"), "incident_notes"),
        ("Checkly", ("type",), "ALERT_SSL"),
        ("Uptime Kuma", ("heartbeat",), None),
        ("Uptime Kuma", ("heartbeat", "status"), 2),
        ("Uptime Kuma", ("heartbeat", "status"), 3),
    ],
)
def test_a_ready_mapping_ignores(name: str, place: tuple[str, ...], value: Any) -> None:
    settings, payload, _ = blocks(part(f"### {name}"))

    found = translated("custom", replaced(payload, place, value), **settings)

    assert not found.states
    assert not found.refused


def test_the_settings_of_the_example_are_shown() -> None:
    assert blocks(part("## Change the mapping")) == [settings_of("custom")]


def test_every_field_is_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (required)? ?\|$", part("## Change the mapping"), re.M)

    assert dict(rows) == {
        name: "required" if field.is_required() else ""
        for name, field in CustomMapping.model_fields.items()
    }


def test_the_expressions_that_it_teaches_are_valid() -> None:
    cells = re.findall(r"^\| [^|]+ \| (.+) \|$", part("### Expressions"), re.M)[1:]
    taught = [
        text.replace("\\|", "|")
        for cell in cells
        for _, text in re.findall(r"(`+) ?(.+?) ?\1", cell)
    ]

    assert len(taught) > len(cells)
    assert all(compiled(expression) for expression in taught)


def test_the_limits_are_the_codes() -> None:
    assert f"at most {EXPRESSION_MAX} characters and {DEPTH_MAX} levels" in PAGE
    assert STEPS_MAX == 1_000_000
    assert "a million steps" in PAGE
