"""Sources of a workspace: made, shown, renewed, deleted; a payload tried."""

import json
from typing import Any

import pytest

from relay.sources.tool import KINDS
from tests.integration.relay_stage import Relay, Start
from tests.sources.samples import samples
from tests.support.lambdas import Answer

SOURCES = "/v1/workspaces/payments/sources"
SECRET = "the secret that PagerDuty shows"
PAGERDUTY = {"kind": "pagerduty", "secret": SECRET}


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments", "search")


def put(relay: Relay, source: str, document: Any, workspace: str = "payments") -> Answer:
    return relay.provider("PUT", f"/v1/workspaces/{workspace}/sources/{source}", document)


def rules(answer: Answer) -> list[tuple[str, str]]:
    return [(one["path"], one["rule"]) for one in answer.json()["error"]["details"]]


def post(relay: Relay, url: str, payload: Any) -> Answer:
    return relay.call("POST", url.removeprefix(relay.gateway.url), payload)


def test_a_new_source_has_a_url_which_is_never_shown_again(relay: Relay) -> None:
    made = put(relay, "pd", PAGERDUTY).json()

    address = made["url"].removeprefix(f"{relay.gateway.url}/sources/")
    assert len(address) >= 43
    shown = relay.provider("GET", f"{SOURCES}/pd").json()
    listed = relay.provider("GET", SOURCES).json()
    assert "url" not in shown
    assert listed == {"sources": [shown]}
    assert {**shown, "url": made["url"]} == made
    assert made["hasSecret"]
    assert made["settings"] == {"issueKeys": True, "makeContainers": True}
    assert made["deliveries"] == {"taken": 0, "ignored": 0, "refused": 0}


def test_neither_address_nor_secret_is_stored_in_plain_text(relay: Relay) -> None:
    url = put(relay, "pd", PAGERDUTY).json()["url"]

    stored = relay.stored()

    assert url.rpartition("/")[2] not in stored
    assert SECRET not in stored
    assert "pd" in stored


def test_a_changed_source_keeps_its_url_and_its_secret(relay: Relay) -> None:
    put(relay, "pd", PAGERDUTY)

    changed = put(relay, "pd", {"kind": "pagerduty", "settings": {"issueKeys": ["OPS"]}}).json()

    assert "url" not in changed
    assert changed["hasSecret"]
    assert changed["settings"]["issueKeys"] == ["OPS"]


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"kind": "pagerduty"}, ("secret", "missing")),
        ({"kind": "pager"}, ("kind", "kind")),
        ({}, ("kind", "missing")),
        ({"kind": "alertmanager", "secret": "s"}, ("secret", "not_signed")),
        ({"kind": "incidentio", "secret": "whsec_a"}, ("secret", "base64")),
        ({**PAGERDUTY, "secret": ""}, ("secret", "string_too_short")),
        ({**PAGERDUTY, "secret": "s" * 501}, ("secret", "string_too_long")),
        ({**PAGERDUTY, "settings": {"colour": "red"}}, ("settings.colour", "extra_forbidden")),
        (
            {**PAGERDUTY, "settings": {"severities": {"high": "P6"}}},
            ("settings.severities.high", "literal_error"),
        ),
        (
            {**PAGERDUTY, "settings": {"component": "a b"}},
            ("settings.component", "string_pattern_mismatch"),
        ),
        (
            {**PAGERDUTY, "settings": {"signatureHeader": "X-Own"}},
            ("settings.signatureHeader", "wrong_kind"),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_invalid_source_names_the_rule(
    relay: Relay, document: dict[str, Any], rule: tuple[str, str]
) -> None:
    answer = put(relay, "pd", document)

    assert answer.status == 400
    assert rule in rules(answer)
    assert relay.provider("GET", SOURCES).json() == {"sources": []}


def test_the_kind_of_a_source_is_fixed(relay: Relay) -> None:
    put(relay, "pd", PAGERDUTY)

    answer = put(relay, "pd", {"kind": "alertmanager"})

    assert (answer.status, rules(answer)) == (400, [("kind", "fixed")])


@pytest.mark.parametrize("source", ["a b", "a#b", "x" * 65])
def test_an_id_that_could_be_ambiguous_is_refused(relay: Relay, source: str) -> None:
    answer = put(relay, source.replace(" ", "%20").replace("#", "%23"), PAGERDUTY)

    assert answer.status == 400


def test_a_deleted_source_is_gone_with_its_url(relay: Relay) -> None:
    url = put(relay, "am", {"kind": "alertmanager"}).json()["url"]

    assert relay.provider("DELETE", f"{SOURCES}/am").status == 204
    assert relay.provider("DELETE", f"{SOURCES}/am").status == 204

    assert relay.provider("GET", f"{SOURCES}/am").error_code == "unknown_source"
    assert post(relay, url, samples("alertmanager")["firing"]).status == 401


def test_a_renewed_url_replaces_the_old_one_at_once(relay: Relay) -> None:
    old = put(relay, "am", {"kind": "alertmanager"}).json()["url"]

    new = relay.provider("POST", f"{SOURCES}/am/url").json()["url"]

    payload = samples("alertmanager")["firing"]
    assert post(relay, old, payload).status == 401
    assert post(relay, new, payload).status == 202


def test_the_url_of_an_unknown_source_can_not_be_renewed(relay: Relay) -> None:
    assert relay.provider("POST", f"{SOURCES}/am/url").error_code == "unknown_source"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", "/am"),
        ("GET", "/am"),
        ("DELETE", "/am"),
        ("POST", "/am/url"),
        ("GET", "/am/deliveries"),
        ("POST", "/am/preview"),
        ("POST", "/am/events"),
    ],
)
def test_a_key_for_another_workspace_sees_no_source(relay: Relay, method: str, path: str) -> None:
    put(relay, "am", {"kind": "alertmanager"})
    other = relay.key_for("search")

    answer = relay.provider(method, f"{SOURCES}{path}", {"kind": "alertmanager"}, other)

    assert answer.status == 403


def test_two_workspaces_may_have_sources_with_the_same_id(relay: Relay) -> None:
    one = put(relay, "am", {"kind": "alertmanager"}).json()
    two = put(relay, "am", {"kind": "alertmanager"}, "search").json()

    assert one["url"] != two["url"]
    assert relay.provider("GET", SOURCES).json()["sources"][0]["id"] == "am"
    assert relay.provider("DELETE", f"{SOURCES}/am").status == 204
    assert post(relay, two["url"], samples("alertmanager")["firing"]).status == 202


def test_a_secret_can_not_be_read_in_another_source(relay: Relay) -> None:
    """A copied item does not verify: its secret belongs to its workspace and source."""
    put(relay, "pd", PAGERDUTY)
    made = put(relay, "other", {**PAGERDUTY, "secret": "another"}).json()
    table = relay.aws.environment["CATALOG_TABLE"]
    key = {"pk": {"S": "workspace#payments"}, "sk": {"S": "source#pd"}}
    found = relay.aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
    relay.aws.dynamodb.update_item(
        TableName=table,
        Key={**key, "sk": {"S": "source#other"}},
        UpdateExpression="SET secret = :secret, secretKey = :key",
        ExpressionAttributeValues={":secret": found["secret"], ":key": found["secretKey"]},
    )

    assert post(relay, made["url"], samples("pagerduty")["triggered"]).status == 503


def test_the_list_is_paged(relay: Relay) -> None:
    for number in range(3):
        put(relay, f"s{number}", {"kind": "alertmanager"})

    first = relay.provider("GET", f"{SOURCES}?limit=2").json()
    second = relay.provider("GET", f"{SOURCES}?limit=2&after={first['next']}").json()

    assert [one["id"] for one in first["sources"] + second["sources"]] == ["s0", "s1", "s2"]
    assert "next" not in second


def test_every_kind_is_listed_with_its_steps(relay: Relay) -> None:
    kinds = relay.provider("GET", "/v1/source-kinds").json()["kinds"]

    assert [one["kind"] for one in kinds] == list(KINDS)
    assert all(one["setup"] for one in kinds)


def test_a_preview_shows_what_jira_would_get_and_takes_nothing(relay: Relay) -> None:
    put(relay, "pd", PAGERDUTY)

    answer = relay.provider("POST", f"{SOURCES}/pd/preview", samples("pagerduty")["triggered"])

    shown = answer.json()
    assert [one["id"] for one in shown["incidents"]] == ["pagerduty-PINC001"]
    assert [one["id"] for one in shown["containers"]] == ["pagerduty-PSVC001"]
    assert (shown["state"], shown["event"]) == ("taken", "incident.triggered")
    assert relay.waiting() == []
    assert relay.provider("GET", f"{SOURCES}/pd/deliveries").json() == {"deliveries": []}


def test_a_preview_says_why_a_payload_would_be_ignored_or_refused(relay: Relay) -> None:
    put(relay, "pd", PAGERDUTY)

    note = relay.provider("POST", f"{SOURCES}/pd/preview", samples("pagerduty")["annotated"])
    wrong = relay.provider("POST", f"{SOURCES}/pd/preview", {"alerts": []})

    assert note.json()["state"] == "ignored"
    assert "does not carry an incident" in note.json()["reason"]
    assert (wrong.status, wrong.error_code) == (400, "wrong_payload")
    assert json.loads(wrong.body)["error"]["details"][0]["path"] == "event"
