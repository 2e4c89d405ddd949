"""`relay sources`: tools are connected, seen, tried and removed."""

import json
import re

import pytest

from relay.sources.tool import KINDS, tool_of
from tests.integration.cli_stage import Cli, Stage
from tests.integration.sources_stage import (
    FIRING,
    SECRET,
    TRIGGERED,
    WHERE,
    add,
    add_pagerduty,
    deliver,
    source,
    url_of,
    write,
)
from tests.integration.terminal import Terminal
from tests.sources.samples import samples, settings_of


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_of_each_kind_is_added_with_its_steps(operations: Stage, kind: str) -> None:
    options: tuple[str, ...] = ()
    if "mapping" in tool_of(kind).own_settings:
        options = ("--settings", write("settings.json", json.dumps(settings_of(kind))))

    added = add(operations, kind, *options)

    url, blank, *steps = added.out.splitlines()
    assert url_of(added.out) == url
    assert blank == ""
    assert url in "\n".join(steps)
    numbers = [step.partition(".")[0] for step in steps if not step.startswith(" ")]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert not re.search(r"\{(url|secret)\}", added.out)
    assert source(operations)["kind"] == kind


def test_the_url_is_that_of_the_source(operations: Stage) -> None:
    url = url_of(add(operations).out)

    assert deliver(operations, url, FIRING) == 202
    assert source(operations)["deliveries"]["taken"] == 1


def test_an_existing_source_is_not_replaced(operations: Stage) -> None:
    url = url_of(add(operations, "alertmanager", "--component", "shop").out)

    again = operations.cli("sources", "add", *WHERE, "--kind", "pagerduty", code=1)

    assert "`relay sources set operations alerts`" in again.err
    assert again.out == ""
    assert source(operations)["settings"]["component"] == "shop"
    assert deliver(operations, url, FIRING) == 202


def test_settings_are_given_and_changed(operations: Stage) -> None:
    options = ("--component", "shop", "--severity", "sev=high=P2", "--severity", "low=P4")
    add(operations, "alertmanager", *options, "--issue-keys", "PAY,OPS", "--containers", "off")
    assert source(operations)["settings"] == {
        "component": "shop",
        "severities": {"sev=high": "P2", "low": "P4"},
        "issueKeys": ["PAY", "OPS"],
        "makeContainers": False,
    }
    shown = operations.cli("sources", "show", *WHERE).words
    for words in ("sev=high=P2, low=P4", "issue keys PAY,OPS", "containers off", "secret none"):
        assert words in shown

    operations.cli("sources", "set", *WHERE, "--issue-keys", "off", "--severity", "low=P5")
    assert source(operations)["settings"] == {
        "component": "shop",
        "severities": {"low": "P5"},
        "issueKeys": False,
        "makeContainers": False,
    }
    operations.cli("sources", "set", *WHERE, "--reset", "--component", "app")
    assert source(operations)["settings"] == {
        "component": "app",
        "issueKeys": True,
        "makeContainers": True,
    }
    assert "--reset" in operations.cli("sources", "set", *WHERE, code=2).err


def test_settings_are_given_in_a_file(operations: Stage) -> None:
    file = write("settings.json", json.dumps(settings_of("custom")))
    add(operations, "custom", "--settings", file, "--severity", "red=P2")

    expected = settings_of("custom") | {"severities": {"red": "P2"}}
    assert source(operations)["settings"].items() >= expected.items()
    shown = operations.cli("sources", "show", *WHERE).words
    assert "mapping.id key mapping.lastUpdated changed" in shown
    operations.cli("sources", "set", *WHERE, "--settings", "-", stdin=b'{"component": "shop"}')
    assert source(operations)["settings"].items() >= (expected | {"component": "shop"}).items()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--severity", "high"), "--severity high: expected NAME=LEVEL."),
        (("--severity", "=P1"), "--severity =P1: expected NAME=LEVEL."),
        (("--issue-keys", "PAY,"), "--issue-keys PAY,: expected on, off, or projects"),
        (("--containers", "yes"), "--containers yes: expected on or off."),
        (("--settings", "absent.json"), "absent.json can't be read: No such file or directory."),
        (
            ("--settings", "broken.json"),
            "broken.json, line 2: not JSON: Expecting value",
        ),
        (("--settings", "infinite.json"), "infinite.json: not JSON"),
        (("--settings", "list.json"), "list.json: the settings must be a JSON object."),
        (("--settings", "binary"), "binary is not UTF-8: invalid start byte at byte 0."),
        (("--secret-file", "absent"), "absent can't be read: No such file or directory."),
        (("--secret-file", "empty"), "empty holds no secret."),
        (("--secret-file", "broken.json"), "The secret in broken.json has characters"),
    ],
)
def test_a_wrong_option_is_refused_before_any_call(
    cli: Cli, options: tuple[str, ...], why: str
) -> None:
    write("broken.json", '{\n "id": ,\n}')
    write("infinite.json", '{"id": 1e999}')
    write("list.json", "[]")
    write("binary", b"\xff")
    write("empty", "\n")

    refused = cli("sources", "add", *WHERE, "--kind", "alertmanager", *options, code=2)

    assert refused.err.startswith(f"Error: {why}")
    assert refused.err.count("\n") == 1


def test_relays_own_errors_name_the_field(operations: Stage) -> None:
    arguments = ("sources", "add", *WHERE, "--kind", "alertmanager")

    level = operations.cli(*arguments, "--severity", "high=P9", code=1)
    assert "settings.severities.high: " in level.err
    half = write("settings.json", '{"component": "\\ud800"}')
    assert "not a source" in operations.cli(*arguments, "--settings", half, code=1).err
    pagerduty = ("sources", "add", *WHERE, "--kind", "pagerduty")
    refused = operations.cli(*pagerduty, code=1, RELAY_SOURCE_SECRET="x" * 501)
    assert "  secret: " in refused.err
    assert "xxx" not in refused.err
    named = operations.cli("sources", "add", "operations", "a b", *arguments[4:], code=1)
    assert "  sourceId: " in named.err


def test_an_unknown_kind_is_refused_with_the_known_ones(operations: Stage) -> None:
    refused = operations.cli("sources", "add", *WHERE, "--kind", "smoke", code=2)

    assert refused.err == (f"Error: There is no kind 'smoke'. The kinds are: {', '.join(KINDS)}.\n")
    listed = operations.cli("sources", "kinds")
    assert [row[0] for row in listed.rows] == [*KINDS]
    assert "alertmanager Alertmanager none: the tool does not sign" in listed.words
    as_json = operations.cli("sources", "kinds", "--json").json()
    assert [one["kind"] for one in as_json["kinds"]] == [*KINDS]


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", *WHERE),
        ("set", *WHERE, "--component", "shop"),
        ("secret", *WHERE, "--secret-file", "secret.txt"),
        ("remove", *WHERE, "--yes"),
        ("renew-url", *WHERE),
        ("deliveries", *WHERE),
        ("try", *WHERE, "secret.txt"),
    ],
)
def test_an_unknown_source_is_refused(operations: Stage, arguments: tuple[str, ...]) -> None:
    write("secret.txt", SECRET)

    unknown = operations.cli("sources", *arguments, "--json", code=1)

    assert unknown.error_code == "unknown_source"
    assert unknown.out == ""


def test_sources_are_listed(operations: Stage) -> None:
    url = url_of(add(operations).out)
    second = ("sources", "add", "operations", "pages", "--kind", "pagerduty", "--json")
    assert operations.cli(*second, RELAY_SOURCE_SECRET=SECRET).json()["hasSecret"] is True
    assert deliver(operations, url, FIRING) == 202
    assert deliver(operations, url, {"other": 1}) == 400

    rows = operations.cli("sources", "list", "operations").rows
    assert [row[:6] for row in rows] == [
        ["alerts", "alertmanager", "1", "0", "1", "refused,"],
        ["pages", "pagerduty", "0", "0", "0", "none"],
    ]
    page = operations.cli("sources", "list", "operations", "--limit", "1", "--json").json()
    assert [one["id"] for one in page["sources"]] == ["alerts"]
    assert page["next"] == "alerts"
    shown = operations.cli("sources", "show", *WHERE).words
    assert "taken 1 ignored 0 refused 1 last delivery refused, 20" in shown


def test_deliveries_are_listed_newest_first(operations: Stage) -> None:
    url = url_of(add_pagerduty(operations).out)
    assert deliver(operations, url, TRIGGERED, SECRET) == 202
    assert deliver(operations, url, samples("pagerduty")["annotated"], SECRET) == 202
    assert deliver(operations, url, TRIGGERED, "another") == 401

    lines = operations.cli("sources", "deliveries", *WHERE).out.splitlines()[1:]
    assert [line.split("  ")[0][-4:] for line in lines] == [" UTC"] * 3
    for line, words in zip(
        lines, ("refused", "incident.annotated", "incident.triggered"), strict=True
    ):
        assert words in line
    assert "taken" in lines[2]
    assert "incident pagerduty-PINC001" in lines[2]
    only = operations.cli("sources", "deliveries", *WHERE, "--state", "ignored", "--json").json()
    assert [one["event"] for one in only["deliveries"]] == ["incident.annotated"]
    assert only["deliveries"][0]["id"] in lines[1]
    first = operations.cli("sources", "deliveries", *WHERE, "--limit", "1")
    assert len(first.rows) == 1
    assert "--all" in first.err
    assert len(operations.cli("sources", "deliveries", *WHERE, "--all").rows) == 3
    unknown = operations.cli("sources", "deliveries", *WHERE, "--state", "lost", code=1)
    assert "taken, ignored, refused" in unknown.err


def test_a_renewed_url_replaces_the_old_one(operations: Stage) -> None:
    old = url_of(add(operations).out)

    renewed = operations.cli("sources", "renew-url", *WHERE)

    assert renewed.out == f"{url_of(renewed.out)}\n"
    assert deliver(operations, old, FIRING) == 401
    assert deliver(operations, renewed.out.strip(), FIRING) == 202
    third = operations.cli("sources", "renew-url", *WHERE, "--json").json()["url"]
    assert deliver(operations, third, FIRING) == 202


def test_a_source_is_removed_once_it_is_confirmed(operations: Stage) -> None:
    url = url_of(add(operations).out)

    asked = operations.cli("sources", "remove", *WHERE, code=2)
    assert "Pass --yes to confirm." in asked.err
    terminal = Terminal(operations.cli, "sources", "remove", *WHERE)
    terminal.wait_for("[y/N]: ")
    terminal.enter("n")
    assert terminal.end() == 1
    assert deliver(operations, url, FIRING) == 202

    removed = operations.cli("sources", "remove", *WHERE, "--yes", "--json")
    assert removed.json() == {"workspaceId": "operations", "id": "alerts"}
    assert deliver(operations, url, FIRING) == 401


def test_a_payload_is_tried(operations: Stage) -> None:
    add(operations)
    file = write("firing.json", json.dumps(FIRING))

    tried = operations.cli("sources", "try", *WHERE, file)

    incident = operations.cli("sources", "try", *WHERE, file, "--json").json()["incidents"][0]
    for words in (
        "state taken",
        f"Incident {incident['id']}",
        "summary Checkout is slow",
        "status open",
        "severity P1",
        "associations issueIdOrKeys OPS-12",
        "CONTAINER NAME URL checkout-api checkout-api https://ops.example.com/",
    ):
        assert words in tried.words, words
    assert source(operations)["deliveries"]["taken"] == 0
    piped = operations.cli("sources", "try", *WHERE, "-", stdin=json.dumps(FIRING).encode())
    assert piped.out == tried.out


def test_the_parts_that_are_not_of_the_tools_shape_are_named(operations: Stage) -> None:
    add(operations)
    one, other = FIRING["alerts"]
    file = write("part.json", json.dumps(FIRING | {"alerts": [one, other | {"startsAt": 7}]}))

    partly = operations.cli("sources", "try", *WHERE, file, code=1)
    assert "Incident alertmanager-" in partly.out
    assert "  alerts[1].startsAt: " in partly.err
    write("other.json", "{}")
    refused = operations.cli("sources", "try", *WHERE, "other.json", "--json", code=1)
    assert refused.error_code == "wrong_payload"
    absent = operations.cli("sources", "try", *WHERE, "absent.json", code=2)
    assert absent.err == "Error: absent.json can't be read: No such file or directory.\n"
