"""Two credentials for one Jira: which is used, what a refusal leads to, and where each may be
sent.
"""

import itertools
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from relay.entities.model import Kind
from relay.jira.answers import SubmitAnswer
from relay.jira.client import JiraClient, http_client
from relay.jira.credentials import BearerCredential
from relay.tenants.identity_choice import Identity
from tests.integration.catching_up_stage import debts, resume, sequences, states
from tests.integration.identities_stage import TwofoldSite, new_site, relay_on_both
from tests.integration.relay_stage import Relay, Start
from tests.integration.replays_stage import let_delays_pass
from tests.integration.simulator_stage import Simulator, component
from tests.support.aws import Aws
from tests.support.entities import incident, review

CONNECT, FORGE = (identity.value for identity in Identity)
OTHER = {CONNECT: FORGE, FORGE: CONNECT}
SUBMIT = "submitEntity"
A_DAY_MS = 86_400_000
_sequences = itertools.count(1)

Deploy = Callable[..., Relay]


@pytest.fixture(params=[CONNECT, FORGE])
def preferred(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def deploy(start: Start, simulator: Simulator) -> Deploy:
    """Relay with these variables."""
    return partial(relay_on_both, start, simulator)


@pytest.fixture
def relay(deploy: Deploy, preferred: str) -> Relay:
    return deploy(JIRA_IDENTITY=preferred)


@pytest.fixture
def both(relay: Relay, simulator: Simulator) -> TwofoldSite:
    """A site under Connect and Forge, linked to a workspace, without any delivery yet."""
    site = new_site(relay, simulator)
    site.install_by_forge(True, descriptorUrl=site.descriptor_url)
    site.link()
    site.forget_calls()
    return site


def submit(relay: Relay) -> int:
    """Submit the incident's next state; return its sequence."""
    sequence = next(_sequences)
    assert relay.submit("payments", incidents=[incident("i", sequence)]) == []
    return sequence


def tried(site: TwofoldSite) -> list[tuple[str, int]]:
    """The (credential, status) of each submission since the last call of this function."""
    found = [(credential, status) for name, credential, status in site.calls() if name == SUBMIT]
    site.forget_calls()
    return found


def credential(site: TwofoldSite) -> dict[str, Any]:
    return dict(site.document()["credential"])


# --- A site's workspaces ---


def test_a_connect_site_is_called_as_connect(relay: Relay, simulator: Simulator) -> None:
    site = new_site(relay, simulator)
    site.install_by_connect()
    site.link()
    submit(relay)
    assert {used for _, used, _ in site.calls()} == {CONNECT}
    assert tried(site) == [(CONNECT, 202)]
    assert credential(site) == {"inUse": CONNECT}


def test_a_forge_site_is_called_as_forge(relay: Relay, simulator: Simulator) -> None:
    site = new_site(relay, simulator)
    site.install_by_forge()
    site.link()
    submit(relay)
    assert {used for _, used, _ in site.calls()} == {FORGE}
    assert tried(site) == [(FORGE, 202)]
    assert credential(site) == {"inUse": FORGE}


def test_with_both_identities_the_preferred_one_is_used(
    relay: Relay, both: TwofoldSite, preferred: str
) -> None:
    submit(relay)
    assert tried(both) == [(preferred, 202)]
    assert credential(both) == {"inUse": preferred}


def test_a_missing_identity_is_not_tried(relay: Relay, simulator: Simulator) -> None:
    site = new_site(relay, simulator)
    site.install_by_connect()
    site.link()
    site.forget_calls()
    site.switch(connect=401)
    submit(relay)
    assert tried(site) == [(CONNECT, 401)]
    assert site.document()["state"] == "needs attention"


# --- One identity refused ---


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_identity_falls_back_to_the_other_in_the_same_call(
    relay: Relay, both: TwofoldSite, preferred: str, status: int
) -> None:
    both.switch(**{preferred: status})
    sequence = submit(relay)
    assert tried(both) == [(preferred, status), (OTHER[preferred], 202)]
    assert sequences(both.jira()) == {"i": sequence}
    assert states(relay) == {"i": "accepted"}
    document = both.document()
    assert document["state"] == "active"
    assert "trouble" not in document
    told = document["credential"]
    assert told["inUse"] == OTHER[preferred]
    assert told["because"].startswith(f"Jira answered {status}")
    assert told["at"]


def test_the_working_identity_is_used_first_from_then_on(
    relay: Relay, both: TwofoldSite, preferred: str
) -> None:
    other = OTHER[preferred]
    both.switch(**{preferred: 401})
    submit(relay)
    assert tried(both) == [(preferred, 401), (other, 202)]
    # Jira would accept the first again, but sends no notice.
    both.switch(**{preferred: "on"})
    for _ in range(3):
        submit(relay)
    assert tried(both) == [(other, 202)] * 3
    # Every caller: the links, and a replay of all.
    assert relay.provider("GET", f"/v1/sites/{both.document()['id']}/workspaces").status == 200
    assert relay.provider("POST", f"/v1/sites/{both.document()['id']}/replay", {}).status == 202
    relay.run_replays()
    assert {used for _, used, _ in both.calls()} == {other}


def test_a_fallback_that_is_refused_later_switches_back(
    relay: Relay, both: TwofoldSite, preferred: str
) -> None:
    other = OTHER[preferred]
    both.switch(**{preferred: 401})
    submit(relay)
    both.switch(**{preferred: "on", other: 403})
    tried(both)
    submit(relay)
    submit(relay)
    assert tried(both) == [(other, 403), (preferred, 202), (preferred, 202)]
    assert credential(both)["inUse"] == preferred
    assert credential(both)["because"].startswith("Jira answered 403")


def test_no_other_answer_switches_the_identity(
    relay: Relay, both: TwofoldSite, preferred: str
) -> None:
    down = {"kind": "error", "status": 503, "operations": [SUBMIT], "times": 1}
    both.simulator.fail(both.name, down)
    submit(relay)
    assert tried(both) == [(preferred, 503)]
    assert both.document()["state"] == "slowed"
    resume(relay)
    assert tried(both) == [(preferred, 202)]
    assert credential(both) == {"inUse": preferred}


# --- How long a choice lasts ---


@pytest.fixture
def turned(relay: Relay, both: TwofoldSite, preferred: str) -> TwofoldSite:
    """A site that refused the preferred credential, and would accept it again now."""
    both.switch(**{preferred: 401})
    submit(relay)
    both.switch(**{preferred: "on"})
    tried(both)
    return both


def test_a_new_token_alone_keeps_the_choice(
    relay: Relay, turned: TwofoldSite, preferred: str
) -> None:
    turned.tick()
    submit(relay)
    assert tried(turned) == [(OTHER[preferred], 202)]


@pytest.mark.parametrize("told_by_connect", [True, False])
def test_a_new_install_resets_the_choice(
    relay: Relay, turned: TwofoldSite, preferred: str, told_by_connect: bool
) -> None:
    if told_by_connect:
        # Forge's own event is lost.
        nowhere = {"remoteUrl": "http://127.0.0.1:9", "newSecret": False}
        told = turned.simulator.forge(turned.name, "upgrade", **nowhere).json()["calls"]
        assert [call["status"] for call in told] == [204, None]
    else:
        turned.upgrade_by_forge(installedLifecycle=False)
    assert credential(turned) == {"inUse": preferred}
    submit(relay)
    assert tried(turned) == [(preferred, 202)]


def test_after_a_day_the_preferred_one_is_tried_again(
    relay: Relay, aws: Aws, turned: TwofoldSite, preferred: str
) -> None:
    key = {"pk": {"S": f"tenant#{turned.document()['id']}"}, "sk": {"S": "credential"}}

    def age(milliseconds: int) -> None:
        aws.dynamodb.update_item(
            TableName="TenantsTable",
            Key=key,
            UpdateExpression="ADD #at :younger",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":younger": {"N": str(-milliseconds)}},
        )

    age(A_DAY_MS - 600_000)
    submit(relay)
    assert tried(turned) == [(OTHER[preferred], 202)]
    age(600_000)
    assert credential(turned) == {"inUse": preferred}
    submit(relay)
    assert tried(turned) == [(preferred, 202)]


# --- Both identities refused ---


@pytest.mark.parametrize("status", [401, 403])
def test_a_site_that_refuses_both_needs_attention_until_the_next_token(
    relay: Relay, both: TwofoldSite, preferred: str, status: int
) -> None:
    both.switch(**{preferred: status, OTHER[preferred]: 401})
    sequence = submit(relay)
    assert tried(both) == [(preferred, status), (OTHER[preferred], 401)]
    document = both.document()
    assert document["state"] == "needs attention"
    assert document["trouble"]["status"] == status
    assert document["credential"] == {"inUse": preferred}
    assert (states(relay), debts(relay, both.jira())) == ({"i": "owed"}, 1)
    # Nothing else is tried before its time.
    submit(relay)
    assert tried(both) == []

    both.switch(forge="on")
    both.tick()
    assert both.document()["state"] == "active"
    relay.run_replays()
    assert sequences(both.jira()) == {"i": sequence + 1}
    assert debts(relay, both.jira()) == 0
    assert (FORGE, 202) in tried(both)


def test_tokens_that_have_expired_are_replaced_by_the_next(
    relay: Relay, simulator: Simulator
) -> None:
    site = new_site(relay, simulator)
    site.install_by_forge()
    site.link()
    site.forget_calls()
    simulator.control("DELETE", f"/sites/{site.name}/forge/tokens").raise_for_status()
    sequence = submit(relay)
    assert tried(site) == [(FORGE, 401)]
    assert site.document()["trouble"]["code"] == "credential_refused"
    site.tick()
    relay.run_replays()
    assert tried(site) == [(FORGE, 202)]
    assert sequences(site.jira()) == {"i": sequence}
    assert site.document()["state"] == "active"


def test_a_token_does_not_end_any_other_trouble(relay: Relay, both: TwofoldSite) -> None:
    """A site that sends Retry-After must not be called sooner because of a token."""
    limited = {"kind": "rate limit", "retryAfter": "1800", "operations": [SUBMIT]}
    both.simulator.fail(both.name, limited)
    submit(relay)
    assert both.document()["state"] == "slowed"
    tried(both)
    both.tick()
    relay.run_replays()
    assert tried(both) == []
    assert both.document()["state"] == "slowed"


# --- Every operation with either credential ---


@pytest.fixture
def forge_alone(deploy: Deploy, simulator: Simulator) -> TwofoldSite:
    variables = {"COMPONENTS_MODULE": "on", "CONFIRM_PERCENT": "100"}
    site = new_site(deploy(JIRA_IDENTITY=FORGE, **variables), simulator)
    site.install_by_forge()
    site.forget_calls()
    return site


def test_every_operation_accepts_the_bearer(forge_alone: TwofoldSite) -> None:
    [*_, newest] = forge_alone.facts["forge"]["systemTokens"]
    submission = {"incidents": [incident("i"), incident("j")], "properties": {"team": "a"}}
    with http_client() as http:
        jira = JiraClient(http, forge_alone.facts["apiBaseUrl"], BearerCredential(newest["token"]))
        calls: dict[str, Callable[[], object]] = {
            "submit_workspaces": partial(jira.submit_workspaces, ["payments"]),
            "workspaces": jira.workspaces,
            "has_workspace": partial(jira.has_workspace, "payments"),
            "delete_workspaces": partial(jira.delete_workspaces, ["payments"]),
            "submit_entities": partial(jira.submit_entities, json.dumps(submission).encode()),
            "entity": partial(jira.entity, Kind.INCIDENT, "i"),
            "delete_entity": partial(jira.delete_entity, Kind.INCIDENT, "i"),
            "delete_by_properties": partial(jira.delete_by_properties, {"team": "a"}),
            "submit_components": partial(jira.submit_components, [component("c")], {"team": "a"}),
            "delete_components_by_properties": partial(
                jira.delete_components_by_properties, {"team": "b"}
            ),
            "delete_component": partial(jira.delete_component, "c"),
            "is_admin": partial(jira.is_admin, "somebody"),
            "app_property": partial(jira.app_property, "relay-operations", "any"),
        }
        answers = {name: call() for name, call in calls.items()}
        assert not jira.has_workspace("payments")
    assert calls.keys() == {name for name in vars(JiraClient) if not name.startswith("_")}
    assert answers["submit_workspaces"] == answers["workspaces"] == ["payments"]
    assert answers["has_workspace"] is True
    assert answers["is_admin"] is False
    assert answers["submit_entities"] == SubmitAnswer(frozenset("ij"), {}, ())
    assert answers["entity"] == incident("i")
    assert answers["submit_components"] == SubmitAnswer(frozenset("c"), {}, ())
    assert [forge_alone.jira().held(kind) for kind in ("incident", "component")] == [{}, {}]
    # A missing credential is no refusal.
    assert {used for _, used, _ in forge_alone.calls()} == {FORGE}
    assert {status for _, _, status in forge_alone.calls()} == {200, 202, 404}


def test_an_entity_lives_its_whole_life_under_forge_only(forge_alone: TwofoldSite) -> None:
    relay, site = forge_alone.relay, forge_alone
    container = {
        "name": "Checkout API",
        "url": "https://ops.example.com/services/checkout-api",
        "lastUpdatedDate": "2026-01-30T08:00:00Z",
    }
    answer = relay.provider("PUT", "/v1/workspaces/payments/containers/checkout-api", container)
    assert answer.status == 200, answer.body
    site.link()
    relay.submit("payments", incidents=[incident("i")], reviews=[review("r")])
    assert sequences(site.jira()) == {"i": 1, "r": 1}
    assert site.jira().held("component").keys() == {"checkout-api"}

    site.forget_calls()
    assert let_delays_pass("ReplaysQueue") == 1
    relay.run_replays()
    assert sorted(site.calls()) == [("getIncidentById", FORGE, 200), ("getReviewById", FORGE, 200)]
    assert states(relay) == {"i": "accepted", "r": "accepted"}

    assert relay.provider("DELETE", "/v1/workspaces/payments/incidents/i").status == 202
    relay.run_queue()
    assert sequences(site.jira()) == {"r": 1}

    url = f"/v1/sites/{site.document()['id']}/workspaces"
    assert relay.provider("GET", url).json()["inJira"] == ["payments"]
    assert relay.provider("DELETE", f"{url}/payments").status == 204
    assert relay.provider("GET", url).json()["inJira"] == []
    assert {(used, status) for _, used, status in site.calls()} == {(FORGE, 200), (FORGE, 202)}


# --- Destinations of the bearer ---


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The (URL, Authorization) of every httpx request that leaves this process."""
    made: list[tuple[str, str]] = []
    send = httpx.HTTPTransport.handle_request

    def note(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        made.append((str(request.url), request.headers.get("authorization", "")))
        return send(self, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", note)
    return made


def test_the_bearer_is_sent_to_the_api_base_url_only(
    relay: Relay,
    both: TwofoldSite,
    simulator: Simulator,
    requests: list[tuple[str, str]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever the site answers: a refusal of either credential, a redirect, a new token."""
    neighbour = new_site(relay, simulator)
    neighbour.install_by_forge()
    facts = both.facts
    elsewhere = {"kind": "redirect", "to": neighbour.facts["baseUrl"], "status": 307, "times": 2}
    for switches in ({CONNECT: 401}, {FORGE: 401}, {}):
        both.switch(**({CONNECT: "on", FORGE: "on"} | switches))
        submit(relay)
        both.upgrade_by_forge(installedLifecycle=False)
    both.simulator.fail(both.name, elsewhere)
    submit(relay)
    submit(relay)
    both.tick()
    resume(relay)

    tokens = {
        one["token"] for site in (both, neighbour) for one in site.facts["forge"]["systemTokens"]
    }
    assert len(tokens) > 4
    by_bearer = [
        (url, given.removeprefix("Bearer "))
        for url, given in requests
        if given.startswith("Bearer ") and given.removeprefix("Bearer ") in tokens
    ]
    by_jwt = [url for url, given in requests if given.startswith("JWT ")]
    assert by_bearer
    assert by_jwt
    own = {one["token"] for one in both.facts["forge"]["systemTokens"]}
    for url, token in by_bearer:
        site = both if token in own else neighbour
        assert url.startswith(f"{site.facts['apiBaseUrl']}/rest/"), url
    assert all(url.startswith(f"{facts['baseUrl']}/rest/") for url in by_jwt)
    # Neither in the log nor, unencrypted, in any table.
    written = capfd.readouterr()
    stored = relay.stored()
    assert all(token not in written.out + written.err + stored for token in tokens)
