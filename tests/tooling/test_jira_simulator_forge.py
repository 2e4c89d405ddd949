"""The Jira simulator as Forge: what its calls to a remote prove, and what its tokens open."""

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, RedirectResponse

from infra.jira_simulator.forge.system_tokens import SystemTokens
from infra.jira_simulator.settings import Settings
from relay.identity.caller import Request
from relay.identity.forge_keys import ForgeKeys
from relay.identity.forge_token import ForgeTokenVerifier
from relay.identity.key_servers import key_server_client
from tests.integration.simulator_stage import (
    APP_KEY,
    COMPONENTS,
    FORGE_APP_ID,
    ForgeRemote,
    JiraSite,
    ProviderApp,
    RemoteCall,
    Simulator,
    component,
    running_remote,
)
from tests.support.entities import incident, review

_NUMBERS = itertools.count(1)
_FOUR_HOURS = 4 * 3600
_PROPERTY = "connect_client_key_019cdff3-8bfb-71fe-9628-875b700aebb8"


@pytest.fixture(scope="module")
def one_remote() -> Iterator[ForgeRemote]:
    with running_remote() as running:
        yield running


@pytest.fixture
def remote(one_remote: ForgeRemote) -> ForgeRemote:
    one_remote.received.clear()
    one_remote.answers.clear()
    one_remote.seconds.clear()
    return one_remote


@pytest.fixture(autouse=True)
def settings(simulator: Simulator) -> None:
    simulator.set(visibleAfterSeconds=0, forgeTimeoutSeconds=5, systemTokenSeconds=_FOUR_HOURS)


@pytest.fixture
def name(simulator: Simulator) -> str:
    """A site without an app."""
    name = f"forge-{next(_NUMBERS)}"
    simulator.create(name)
    return name


@pytest.fixture
def connect(simulator: Simulator, app: ProviderApp, name: str) -> JiraSite:
    """A site with only the Connect app."""
    return JiraSite(simulator, _ok(simulator.install(name, app))["site"])


@pytest.fixture
def both(simulator: Simulator, app: ProviderApp, remote: ForgeRemote, name: str) -> JiraSite:
    """A site with the app as Connect on Forge."""
    answer = simulator.forge_install(name, remote, True, descriptorUrl=app.descriptor_url)
    return JiraSite(simulator, _ok(answer)["site"])


@pytest.fixture
def alone(simulator: Simulator, remote: ForgeRemote, name: str) -> JiraSite:
    """A site with only the Forge app."""
    return JiraSite(simulator, _ok(simulator.forge_install(name, remote))["site"])


@pytest.fixture
def token(alone: JiraSite) -> str:
    """The token from the Forge app's install."""
    return str(alone.document["forge"]["systemTokens"][-1]["token"])


def _ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _linked(site: JiraSite, token: str) -> httpx.Response:
    """The simplest call: the linked workspaces."""
    return site.bearer_call(token, "GET", "/linkedWorkspaces")


def _property(
    site: JiraSite, token: str, key: str = _PROPERTY, of: str = APP_KEY
) -> httpx.Response:
    path = f"/addons/{of}/properties/{key}"
    return site.bearer_call(token, "GET", path, api="/rest/atlassian-connect/1")


def _outcomes(document: dict[str, Any]) -> list[tuple[str, int]]:
    return [(call["call"], call["status"]) for call in document["calls"]]


# --- What a call of the remote proves ---


def test_the_invocation_token_has_forges_claims(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite
) -> None:
    (installed,) = remote.named("installed")
    assert (installed.method, installed.path) == ("POST", "/remote/forge/installed")
    claims = installed.claims(simulator.forge_key_set())
    installation_id = alone.document["forge"]["installationId"]
    api_base_url, cloud_id = alone.document["apiBaseUrl"], alone.document["cloudId"]
    assert api_base_url == f"{simulator.url}/ex/jira/{cloud_id}"
    kind, _, number = installation_id.rpartition("/")
    assert kind == "ari:cloud:ecosystem::installation"
    assert str(UUID(number)) == number
    assert claims["nbf"] == claims["iat"]
    assert claims["exp"] - claims["iat"] == 25
    assert len(claims["jti"]) == 40
    environment = claims["app"].pop("environment")
    assert environment["type"] == "PRODUCTION"
    assert environment["id"].startswith("ari:cloud:ecosystem::environment/")
    assert claims["app"] == {
        "id": FORGE_APP_ID,
        "version": "1",
        "appVersion": "1.0.0",
        "installationId": installation_id,
        "apiBaseUrl": api_base_url,
        "installation": {
            "id": installation_id,
            "contexts": [{"name": "jira", "apiBaseUrl": api_base_url, "cloudId": cloud_id}],
        },
        "module": {"type": "core:endpoint", "key": "forge-installed"},
    }
    assert claims["context"] == {
        "cloudId": cloud_id,
        "siteUrl": alone.document["baseUrl"],
        "moduleKey": "on-installed",
    }
    assert "principal" not in claims


def test_the_call_has_forges_headers_and_event(remote: ForgeRemote, alone: JiraSite) -> None:
    (installed,) = remote.named("installed")
    for header in ("x-b3-traceid", "x-b3-spanid"):
        assert len(bytes.fromhex(installed.headers[header])) == 8
    assert len(installed.system_token) > 1000
    installation_id = alone.document["forge"]["installationId"]
    assert installed.body["id"] == installation_id.rpartition("/")[2]
    assert installed.body["eventType"] == "avi:forge:installed:app"
    assert installed.body["installerAccountId"]
    assert installed.body["app"] == {"id": FORGE_APP_ID.rpartition("/")[2], "version": "1.0.0"}
    assert installed.body["environment"]["id"]


def test_relays_own_verifier_accepts_the_call(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite
) -> None:
    (installed,) = remote.named("installed")
    request = Request(
        method=installed.method,
        raw_path=installed.path,
        raw_query="",
        headers=installed.headers,
        base_url=remote.url,
    )
    with key_server_client() as http:
        keys = ForgeKeys(http, f"{simulator.url}/forge/.well-known/jwks.json")
        verifier = ForgeTokenVerifier(keys, FORGE_APP_ID, test_api_origins=["http://127.0.0.1:*"])
        caller = verifier.verify(request)
    assert caller.installation_id == alone.document["forge"]["installationId"]
    assert caller.cloud_id == alone.document["cloudId"]
    assert caller.api_base_url == alone.document["apiBaseUrl"]
    assert caller.system_token == installed.system_token


def test_the_key_set_has_only_public_keys(simulator: Simulator) -> None:
    for key in simulator.forge_key_set()["keys"]:
        assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
        assert key["kid"].startswith("forge/invocation-token/")


def test_a_new_key_signs_after_a_rotation(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite
) -> None:
    def rotate(**body: bool) -> list[str]:
        kids = _ok(simulator.control("POST", "/forge/keys", body))["kids"]
        assert kids == _ok(simulator.control("GET", "/forge/keys"))["kids"]
        assert kids == [key["kid"] for key in simulator.forge_key_set()["keys"]]
        return list(kids)

    before = remote.received[-1]
    kept = rotate()
    assert before.claims(simulator.forge_key_set())
    assert len(kept) >= 2
    _ok(simulator.forge(alone.name, "tick"))
    after = remote.received[-1]
    assert jwt.get_unverified_header(after.token)["kid"] == kept[-1]
    assert after.claims(simulator.forge_key_set())

    assert len(rotate(keepOld=False)) == 1
    _ok(simulator.forge(alone.name, "tick"))
    assert remote.received[-1].claims(simulator.forge_key_set())
    with pytest.raises(KeyError):
        after.claims(simulator.forge_key_set())


# --- Installing, moving, upgrading ---


def test_a_forge_only_site_makes_no_connect_lifecycle_calls(
    simulator: Simulator, app: ProviderApp, alone: JiraSite
) -> None:
    document = simulator.site(alone.name)
    assert document["state"] == "installed"
    assert document["app"] is None
    assert document["forge"]["appId"] == FORGE_APP_ID
    assert document["forge"]["connect"] is False
    assert app.received == []
    assert alone.call("GET", "/linkedWorkspaces").status_code == 401
    action = {"action": "fetchWorkspaces"}
    assert simulator.control("POST", f"/sites/{alone.name}/call", action).status_code == 409


def test_connect_on_forge_makes_both_lifecycle_calls(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, both: JiraSite
) -> None:
    assert [call.path for call in app.received] == ["/app/lifecycle/installed"]
    assert [call.path for call in remote.received] == ["/remote/forge/installed"]
    (installed,) = app.received
    key = simulator.http.get(f"{simulator.url}/install-keys/{simulator.kid}").text
    assert installed.claims(key, "RS256", audience=app.url)["iss"] == both.document["clientKey"]
    assert installed.body["clientKey"] == both.document["clientKey"]
    assert installed.body["sharedSecret"] == both.document["sharedSecret"]
    assert installed.body["installationId"] == both.document["forge"]["installationId"]

    # One store behind both URLs.
    assert both.submit(incident()).status_code == 202
    read = both.bearer_call(remote.received[-1].system_token, "GET", "/incidents/inc-1")
    assert read.json() == incident()

    # Actions still use Connect's token.
    action = {"action": "fetchWorkspaces", "body": {"ids": []}}
    _ok(simulator.control("POST", f"/sites/{both.name}/call", action))
    fetched = app.received[-1]
    assert fetched.path == "/app/workspaces"
    assert fetched.claims(both.document["sharedSecret"], "HS256")["qsh"] == fetched.qsh("/app")


def test_a_connect_only_site_never_names_an_installation(
    app: ProviderApp, connect: JiraSite
) -> None:
    assert "installationId" not in app.named("installed")[0].body
    assert connect.document["forge"] is None


def test_a_move_keeps_the_client_key_and_the_sites_data(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, connect: JiraSite
) -> None:
    connect.submit(incident())
    app.received.clear()
    document = _ok(simulator.forge_install(connect.name, remote, True))
    assert _outcomes(document) == [("installed", 200), ("installed", 200)]
    assert document["calls"][0]["body"] == document["calls"][1]["body"] == {"heard": "installed"}
    moved = document["site"]
    (installed,) = app.received
    assert installed.body["clientKey"] == moved["clientKey"] == connect.document["clientKey"]
    assert installed.body["installationId"] == moved["forge"]["installationId"]
    assert installed.body["sharedSecret"] == moved["sharedSecret"]
    assert moved["sharedSecret"] != connect.document["sharedSecret"]
    assert moved["incidents"] == {"visible": 1, "pending": 0}


def test_a_move_may_omit_installed(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, connect: JiraSite
) -> None:
    app.received.clear()
    answer = simulator.forge_install(connect.name, remote, True, installedLifecycle=False)
    assert _outcomes(_ok(answer)) == [("installed", 200)]
    assert app.received == []
    assert connect.call("GET", "/linkedWorkspaces").status_code == 200
    assert _linked(connect, remote.received[-1].system_token).status_code == 200

    # A later major update reports it after all.
    _ok(simulator.forge(connect.name, "upgrade", newSecret=False))
    (installed,) = app.received
    assert installed.body["installationId"] == connect.refresh()["forge"]["installationId"]
    assert installed.body["sharedSecret"] == connect.document["sharedSecret"]


def test_a_move_refused_by_the_connect_part_changes_nothing(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, connect: JiraSite
) -> None:
    app.answers["installed"] = 500
    answer = simulator.forge_install(connect.name, remote, True)
    assert answer.status_code == 502
    assert _outcomes(answer.json()) == [("installed", 500)]
    assert remote.received == []
    assert connect.refresh()["forge"] is None
    assert connect.call("GET", "/linkedWorkspaces").status_code == 200


def test_an_event_refused_by_the_remote_leaves_the_app_installed(
    simulator: Simulator, remote: ForgeRemote, name: str
) -> None:
    remote.answers["installed"] = JSONResponse({}, 503)
    answer = simulator.forge_install(name, remote)
    assert answer.status_code == 502
    assert _outcomes(answer.json()) == [("installed", 503)]
    site = JiraSite(simulator, simulator.site(name))
    assert _linked(site, remote.received[-1].system_token).status_code == 200


def test_an_upgrade_is_a_new_major_version(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, both: JiraSite
) -> None:
    app.received.clear()
    document = _ok(simulator.forge(both.name, "upgrade"))
    assert _outcomes(document) == [("installed", 200), ("upgraded", 200)]
    (upgraded,) = remote.named("upgraded")
    claims = upgraded.claims(simulator.forge_key_set())["app"]
    assert (claims["version"], claims["appVersion"]) == ("2", "2.0.0")
    assert claims["installationId"] == both.document["forge"]["installationId"]
    assert upgraded.body["eventType"] == "avi:forge:upgraded:app"
    assert upgraded.body["app"]["version"] == "2.0.0"
    assert "read:operations-info:jira" in upgraded.body["permissions"]["scopes"]
    first = remote.named("installed")[0]
    for held in (first.system_token, upgraded.system_token):
        assert _linked(both, held).status_code == 200


def test_an_upgrade_may_leave_connect_behind(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, both: JiraSite
) -> None:
    both.submit(incident())
    app.received.clear()
    document = _ok(simulator.forge(both.name, "upgrade", connect=False))
    assert _outcomes(document) == [("upgraded", 200)]
    assert app.received == []
    assert document["site"]["app"] is None
    assert both.call("GET", "/incidents/inc-1").status_code == 401
    token = remote.received[-1].system_token
    assert both.bearer_call(token, "GET", "/incidents/inc-1").status_code == 200
    assert _property(both, token).json()["value"] == both.document["clientKey"]


def test_a_call_that_does_not_fit_the_sites_state_is_refused(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, name: str
) -> None:
    for call in ("upgrade", "uninstall", "tick"):
        assert simulator.forge(name, call).status_code == 409
    assert simulator.forge(name, "call", path="/").status_code == 409
    assert simulator.forge(name, "migration", call="status").status_code == 409
    assert simulator.control("DELETE", f"/sites/{name}/forge/tokens").status_code == 409
    assert simulator.forge_install(name, remote, True).status_code == 400
    quiet: dict[str, Any] = {"descriptorUrl": app.descriptor_url, "installedLifecycle": False}
    assert simulator.forge_install(name, remote, True, **quiet).status_code == 400
    assert simulator.forge_install("unheard-of", remote).status_code == 404
    assert simulator.site(name)["state"] == "new"
    _ok(simulator.forge_install(name, remote))
    assert simulator.forge_install(name, remote).status_code == 409
    assert simulator.install(name, app).status_code == 409
    assert simulator.control("POST", f"/sites/{name}/uninstall").status_code == 409
    assert simulator.forge(name, "migration", call="commit").status_code == 409


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("install", {"appId": "an-app", "remoteUrl": "https://a.example", "connect": False}),
        ("install", {"appId": FORGE_APP_ID, "remoteUrl": "a.example", "connect": False}),
        ("install", {"appId": FORGE_APP_ID, "remoteUrl": "https://a.example"}),
        ("upgrade", {"appVersion": "two"}),
        ("upgrade", {"appId": FORGE_APP_ID}),
        ("uninstall", {"quietly": True}),
        ("call", {"path": "forge/tick"}),
        ("call", {"path": "/", "headers": {"a": 1}}),
        ("migration", {"call": "dance"}),
        ("migration", {"call": "schedule", "location": "MOON"}),
    ],
    ids=str,
)
def test_an_invalid_control_call_is_400(
    simulator: Simulator, alone: JiraSite, call: str, body: dict[str, Any]
) -> None:
    assert simulator.forge(alone.name, call, **body).status_code == 400


# --- Removing ---


def test_a_removal_is_announced_first_and_forgets_everything(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite, token: str
) -> None:
    assert remote.named("installed")[0].system_token == token
    alone.bearer_call(token, "POST", "/bulk", json={"incidents": [incident()]})
    remote.answers["uninstalled"] = JSONResponse({}, 500)  # Forge ignores the status
    document = _ok(simulator.forge(alone.name, "uninstall"))
    assert _outcomes(document) == [("uninstalled", 500)]
    (uninstalled,) = remote.named("uninstalled")
    claims = uninstalled.claims(simulator.forge_key_set())
    assert claims["app"]["installationId"] == alone.document["forge"]["installationId"]
    assert uninstalled.body["context"] == {
        "cloudId": alone.document["cloudId"],
        "moduleKey": "on-uninstalled",
    }
    for dead in (token, uninstalled.system_token):
        assert _linked(alone, dead).status_code == 401
    assert document["site"]["state"] == "uninstalled"
    assert document["site"]["forge"] is None
    assert document["site"]["incidents"] == {"visible": 0, "pending": 0}

    again = _ok(simulator.forge_install(alone.name, remote))["site"]
    assert again["cloudId"] == alone.document["cloudId"]
    assert again["forge"]["installationId"] != alone.document["forge"]["installationId"]
    assert _linked(alone, token).status_code == 401


def test_the_connect_part_is_notified_of_the_removal_too(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, both: JiraSite
) -> None:
    app.received.clear()
    remote.seconds["uninstalled"] = 0.3
    simulator.set(forgeTimeoutSeconds=0.1)  # a removal has its own, longer time
    document = _ok(simulator.forge(both.name, "uninstall"))
    assert _outcomes(document) == [("uninstalled", 200), ("uninstalled", 200)]
    assert [call.path for call in app.received] == ["/app/lifecycle/uninstalled"]
    assert both.call("GET", "/linkedWorkspaces").status_code == 401
    assert document["site"]["app"] is None
    assert document["site"]["clientKey"] == both.document["clientKey"]


# --- Ticks and other calls ---


def test_a_tick_carries_a_new_token_and_the_old_one_stays_valid(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite, token: str
) -> None:
    answer = _ok(simulator.forge(alone.name, "tick"))
    assert (answer["call"], answer["status"], answer["body"]) == ("tick", 200, {"heard": "tick"})
    (tick,) = remote.named("tick")
    assert (tick.method, tick.path) == ("POST", "/remote/forge/tick")
    claims = tick.claims(simulator.forge_key_set())
    assert claims["app"]["module"] == {"type": "core:endpoint", "key": "forge-tick"}
    assert tick.body["context"]["moduleKey"] == claims["context"]["moduleKey"] == "hourly"
    assert tick.system_token != token
    for held in (token, tick.system_token):
        assert _linked(alone, held).status_code == 200
    tokens = alone.refresh()["forge"]["systemTokens"]
    assert [one["token"] for one in tokens] == [token, tick.system_token]
    assert all(_FOUR_HOURS - 60 < one["secondsLeft"] <= _FOUR_HOURS for one in tokens)


def test_any_path_can_be_called_with_a_chosen_token(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite, token: str
) -> None:
    def call(**body: Any) -> RemoteCall:
        answer = _ok(simulator.forge(alone.name, "call", **body))
        assert answer["status"] == 200
        return remote.received[-1]

    plain = call(path="/some/where", method="PUT", query={"a": "b c"}, body=[1])
    assert (plain.method, plain.path, plain.body) == ("PUT", "/remote/some/where", [1])
    assert parse_qsl(plain.query) == [("a", "b c")]
    assert plain.system_token == token
    assert plain.claims(simulator.forge_key_set())["app"]["id"] == FORGE_APP_ID

    changes = {"app.installationId": "other", "context": None, "aud": ["a"], "iss": 7, "new.one": 1}
    other = call(path="/x", claims=changes, headers={"X-Forge-OAuth-System": None, "x-more": "1"})
    assert other.headers["x-more"] == "1"
    assert "x-forge-oauth-system" not in other.headers
    claims = jwt.decode(other.token, options={"verify_signature": False})
    assert claims["app"]["installationId"] == "other"
    assert claims["app"]["id"] == FORGE_APP_ID
    assert "context" not in claims
    assert (claims["aud"], claims["iss"], claims["new"]) == (["a"], 7, {"one": 1})

    stranger = call(path="/x", headers={"authorization": "Bearer stranger"})
    assert stranger.token == "stranger"


def test_a_redirect_is_an_error(simulator: Simulator, remote: ForgeRemote, alone: JiraSite) -> None:
    remote.answers["tick"] = RedirectResponse(f"{remote.url}/elsewhere")
    answer = simulator.forge(alone.name, "tick")
    assert answer.status_code == 502
    assert answer.json()["status"] == 307
    assert "redirect" in answer.json()["error"]
    assert remote.named("elsewhere") == []


def test_a_slow_remote_is_given_up(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite
) -> None:
    simulator.set(forgeTimeoutSeconds=0.2)
    remote.seconds["tick"] = 1
    answer = simulator.forge(alone.name, "tick")
    assert answer.status_code == 502
    assert answer.json()["status"] is None
    assert "TimeoutError" in answer.json()["error"]


def test_an_unreachable_remote_is_502(simulator: Simulator, alone: JiraSite) -> None:
    away = {"remoteUrl": "http://127.0.0.1:9"}
    assert simulator.forge(alone.name, "upgrade", **away).status_code == 502
    answer = simulator.forge(alone.name, "tick")
    assert answer.status_code == 502
    assert "ConnectError" in answer.json()["error"]


# --- Moving data to another region ---


def test_a_migration_calls_its_hooks(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite
) -> None:
    remote.answers["status"] = JSONResponse({"status": "ready-to-commit"})

    def hook(name: str, **body: Any) -> RemoteCall:
        answer = _ok(simulator.forge(alone.name, "migration", call=name, **body))
        assert (answer["call"], answer["status"]) == (name, 200)
        called = remote.received[-1]
        assert called.path == f"/remote/forge/migrations/{name}"
        module = called.claims(simulator.forge_key_set())["app"]["module"]
        assert module == {"type": "migration:dataResidency", "key": "data-residency"}
        assert "x-forge-oauth-system" not in called.headers
        return called

    scheduled = hook("schedule", location="AU")
    assert scheduled.method == "POST"
    assert set(scheduled.body) == {"startTime", "endTime", "location", "migrationId"}
    assert scheduled.body["location"] == "AU"
    assert scheduled.body["startTime"] < scheduled.body["endTime"]
    migration_id = scheduled.body["migrationId"]
    assert isinstance(migration_id, int)
    assert hook("start").body == scheduled.body
    status = hook("status")
    assert (status.method, status.body) == ("GET", None)
    assert parse_qsl(status.query) == [("migrationId", str(migration_id))]
    assert hook("commit").body == {"migrationId": migration_id}
    assert hook("rollback").body == {"migrationId": migration_id}

    assert hook("schedule").body["migrationId"] != migration_id
    assert hook("start", migrationId=migration_id).body == scheduled.body
    assert hook("commit", migrationId=9).body == {"migrationId": 9}
    assert hook("schedule", migrationId="a-name").body["migrationId"] == "a-name"


def test_a_hooks_answer_is_reported(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite
) -> None:
    remote.answers["schedule"] = JSONResponse({"errorResponseCode": "E0002"}, 400)
    answer = _ok(simulator.forge(alone.name, "migration", call="schedule"))
    assert (answer["status"], answer["body"]) == (400, {"errorResponseCode": "E0002"})


# --- What a system token opens ---


def test_every_operation_accepts_a_system_token(
    simulator: Simulator, alone: JiraSite, token: str
) -> None:
    def call(method: str, path: str, **options: Any) -> httpx.Response:
        return alone.bearer_call(token, method, path, **options)

    submission = {"incidents": [incident()], "reviews": [review()], "properties": {"a": "b"}}
    accepted = call("POST", "/bulk", json=submission)
    assert accepted.json() == {"acceptedIncidents": ["inc-1", "rev-1"]}
    assert call("GET", "/incidents/inc-1?more=1").json() == incident()
    assert call("GET", "/post-incident-reviews/rev-1").json() == review()
    assert call("DELETE", "/incidents/inc-1").status_code == 202
    assert call("DELETE", "/bulkByProperties?a=b").status_code == 202
    assert call("GET", "/post-incident-reviews/rev-1").status_code == 404
    linked = call("POST", "/linkedWorkspaces/bulk", json={"workspaceIds": ["w"]})
    assert linked.status_code == 202
    assert call("GET", "/linkedWorkspaces").json() == {"workspaceIds": ["w"]}
    assert call("DELETE", "/linkedWorkspaces/bulk?workspaceIds=w").status_code == 202
    body = {"devopsComponents": [component()]}
    assert call("POST", "/bulk", api=COMPONENTS, json=body).status_code == 202
    read = call("GET", "/devopscomponents/checkout-api", api=COMPONENTS)
    assert read.json() == component()

    wrong = call("POST", "/bulk", json={})
    assert wrong.status_code == 400
    assert wrong.json()[0]["errorTraceId"]
    assert call("GET", "/nothing").status_code == 404
    assert call("PATCH", "/bulk").status_code == 405
    calls = simulator.calls(alone.name)
    assert {one["credential"] for one in calls} == {"forge"}
    assert calls[0]["path"] == f"/ex/jira/{alone.document['cloudId']}/rest/operations/1.0/bulk"
    assert (calls[0]["operation"], calls[0]["incidents"]) == ("submitEntity", 1)


def test_recorded_calls_name_their_credentials(
    simulator: Simulator, remote: ForgeRemote, both: JiraSite
) -> None:
    both.submit(incident())
    _linked(both, remote.received[-1].system_token)
    _linked(both, "unknown")
    calls = simulator.calls(both.name)
    assert [(one["credential"], one["status"]) for one in calls] == [
        ("connect", 202),
        ("forge", 200),
        ("forge", 401),
    ]


def test_a_token_of_another_site_or_kind_is_401(
    simulator: Simulator, remote: ForgeRemote, both: JiraSite
) -> None:
    simulator.create(other := f"{both.name}-other")
    _ok(simulator.forge_install(other, remote))
    others = remote.received[-1].system_token
    for refused in ("unknown", others, both.sign({"iss": APP_KEY})):
        answer = _linked(both, refused)
        assert answer.status_code == 401
        assert answer.json()["code"] == 401
        assert "unknown" in answer.json()["message"]
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert _linked(JiraSite(simulator, simulator.site(other)), others).status_code == 200


def test_each_url_accepts_its_own_credential_only(
    simulator: Simulator, remote: ForgeRemote, both: JiraSite
) -> None:
    token = remote.received[-1].system_token
    bearer = {"Authorization": f"Bearer {token}"}
    assert both.call("GET", "/linkedWorkspaces", headers=bearer).status_code == 401
    url = f"{both.document['apiBaseUrl']}/rest/operations/1.0/linkedWorkspaces"
    wrong_headers: list[dict[str, str]] = [
        {},
        {"Authorization": f"JWT {token}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {token}"},
    ]
    for headers in wrong_headers:
        assert simulator.http.get(url, headers=headers).status_code == 401
    assert simulator.http.get(url, headers=bearer).status_code == 200


def test_without_a_forge_app_no_token_is_accepted(connect: JiraSite) -> None:
    answer = _linked(connect, "unknown")
    assert answer.status_code == 401
    assert "no Forge app" in answer.json()["message"]


def test_an_unknown_cloud_id_is_404(simulator: Simulator, token: str) -> None:
    url = f"{simulator.url}/ex/jira/0/rest/operations/1.0/linkedWorkspaces"
    answer = simulator.http.get(url, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (404, 404)


def test_expired_tokens_are_401(
    simulator: Simulator, remote: ForgeRemote, alone: JiraSite, token: str
) -> None:
    assert simulator.control("DELETE", f"/sites/{alone.name}/forge/tokens").status_code == 204
    answer = _linked(alone, token)
    assert answer.status_code == 401
    assert "expired" in answer.json()["message"]

    simulator.set(systemTokenSeconds=0)
    _ok(simulator.forge(alone.name, "tick"))
    assert _linked(alone, remote.received[-1].system_token).status_code == 401
    assert alone.refresh()["forge"]["systemTokens"] == []

    simulator.set(systemTokenSeconds=60)
    _ok(simulator.forge(alone.name, "tick"))
    assert _linked(alone, remote.received[-1].system_token).status_code == 200


@given(
    life=st.floats(0, 1e6),
    ages=st.lists(st.floats(0, 1e6), min_size=1, max_size=5),
)
def test_a_system_token_is_valid_for_its_own_lifetime(life: float, ages: list[float]) -> None:
    now = [0.0]
    tokens = SystemTokens(Settings(system_token_seconds=life), lambda: now[0])
    issued = []
    for age in sorted(ages, reverse=True):
        now[0] = 1e6 - age
        issued.append((tokens.issue(), 1e6 - age + life))
    now[0] = 1e6
    assert [tokens.refusal(token) is None for token, _ in issued] == [
        end > 1e6 for _, end in issued
    ]
    assert [one["token"] for one in tokens.document()] == [
        token for token, end in issued if end > 1e6
    ]


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_without_its_scope_an_operation_is_401(
    simulator: Simulator, remote: ForgeRemote, name: str, verb: str
) -> None:
    scopes = [f"{one}:operations-info:jira" for one in ("read", "write", "delete") if one != verb]
    document = _ok(simulator.forge_install(name, remote, scopes=scopes))["site"]
    assert document["forge"]["scopes"] == sorted(scopes)
    site, token = JiraSite(simulator, document), remote.received[-1].system_token
    answers = {
        "read": _linked(site, token),
        "write": site.bearer_call(token, "POST", "/bulk", json={"incidents": [incident()]}),
        "delete": site.bearer_call(token, "DELETE", "/incidents/inc-1"),
    }
    assert {one for one, answer in answers.items() if answer.status_code == 401} == {verb}
    refused = {"code": 401, "message": "Unauthorized; scope does not match"}
    assert answers[verb].json() == refused
    components = site.bearer_call(token, "GET", "/devopscomponents/a", api=COMPONENTS)
    assert components.json() == refused


def test_connect_modules_count_if_there_are_any(
    simulator: Simulator, app: ProviderApp, remote: ForgeRemote, name: str
) -> None:
    app.changes["modules"] = {}
    answer = simulator.forge_install(name, remote, True, descriptorUrl=app.descriptor_url)
    site = JiraSite(simulator, _ok(answer)["site"])
    assert _linked(site, remote.received[-1].system_token).status_code == 403


# --- Faults and disabled credentials ---


def test_faults_affect_calls_to_both_urls(
    simulator: Simulator, remote: ForgeRemote, both: JiraSite
) -> None:
    token = remote.received[-1].system_token
    simulator.fail(both.name, {"kind": "rate limit", "retryAfter": "3", "times": 1})
    limited = _linked(both, token)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert simulator.calls(both.name)[-1]["fault"] == "rate limit"
    simulator.fail(both.name, {"kind": "redirect", "to": "https://new.example"})
    redirected = _linked(both, token)
    location = "https://new.example/rest/operations/1.0/linkedWorkspaces"
    assert redirected.headers["location"] == location
    simulator.fail(both.name, {"kind": "refuse entity", "ids": ["inc-1"]})
    body = {"incidents": [incident()]}
    assert list(both.bearer_call(token, "POST", "/bulk", json=body).json()) == ["failedIncidents"]


def test_a_revoked_secret_does_not_affect_system_tokens(
    simulator: Simulator, remote: ForgeRemote, both: JiraSite
) -> None:
    simulator.fail(both.name, {"kind": "revoked secret"})
    assert both.call("GET", "/linkedWorkspaces").status_code == 401
    assert _linked(both, remote.received[-1].system_token).status_code == 200


@pytest.mark.parametrize(("state", "status"), [("off", 401), (401, 401), (403, 403)])
@pytest.mark.parametrize("credential", ["connect", "forge"])
def test_each_credential_can_be_disabled(
    simulator: Simulator,
    remote: ForgeRemote,
    both: JiraSite,
    credential: str,
    state: str | int,
    status: int,
) -> None:
    token = remote.received[-1].system_token

    def statuses() -> dict[str, int]:
        return {
            "connect": both.call("GET", "/linkedWorkspaces").status_code,
            "forge": _linked(both, token).status_code,
        }

    simulator.switch(both.name, **{credential: state})
    on = {"connect": "on", "forge": "on", "clientKeyProperty": "on"}
    assert both.refresh()["credentials"] == on | {credential: state}
    assert statuses() == {"connect": 200, "forge": 200} | {credential: status}
    simulator.switch(both.name, **{credential: "on"})
    assert statuses() == {"connect": 200, "forge": 200}


@pytest.mark.parametrize("switches", [{"connect": 500}, {"forge": True}, {"basic": "off"}, []])
def test_an_invalid_switch_is_400(simulator: Simulator, name: str, switches: Any) -> None:
    answer = simulator.control("PUT", f"/sites/{name}/credentials", switches)
    assert answer.status_code == 400


@pytest.mark.parametrize(("scopes", "status"), [([], 401), (["read:permission:jira"], 200)])
def test_a_users_permissions_need_a_scope_of_their_own(
    simulator: Simulator, remote: ForgeRemote, name: str, scopes: list[str], status: int
) -> None:
    site = JiraSite(simulator, _ok(simulator.forge_install(name, remote, scopes=scopes))["site"])
    body = {"accountId": "somebody", "globalPermissions": ["ADMINISTER"]}
    token = remote.received[-1].system_token
    answer = site.bearer_call(token, "POST", "/permissions/check", api="/rest/api/3", json=body)
    assert answer.status_code == status


# --- The app property that holds the clientKey ---


def test_the_reserved_property_is_the_client_key(
    simulator: Simulator, remote: ForgeRemote, connect: JiraSite
) -> None:
    _ok(simulator.forge_install(connect.name, remote))  # without any Connect lifecycle call
    token = remote.received[-1].system_token
    answer = _property(connect, token)
    assert answer.status_code == 200
    document = answer.json()
    assert document.pop("self").endswith(f"/addons/{APP_KEY}/properties/{_PROPERTY}")
    assert document == {"key": _PROPERTY, "value": connect.document["clientKey"]}
    assert simulator.calls(connect.name)[-1]["operation"] == "getAddonProperty"

    missing = {"message": "Property with key not found.", "statusCode": 404}
    for wrong in (_property(connect, token, key="x"), _property(connect, token, of="another")):
        assert (wrong.status_code, wrong.json()) == (404, missing)
    assert _property(connect, "unknown").status_code == 401
    simulator.switch(connect.name, clientKeyProperty="off")
    assert _property(connect, token).status_code == 404
    simulator.switch(connect.name, clientKeyProperty="on")
    assert _property(connect, token).status_code == 200


def test_a_site_that_never_had_the_connect_app_has_no_such_property(
    alone: JiraSite, token: str
) -> None:
    assert _property(alone, token).status_code == 404


# --- Pages ---


def test_a_page_shows_the_forge_app_and_no_token(
    simulator: Simulator, alone: JiraSite, token: str
) -> None:
    page, index = alone.page().text, simulator.http.get(f"{simulator.url}/").text
    assert FORGE_APP_ID in page
    assert f"POST {alone.document['apiBaseUrl']}/rest/operations/1.0/bulk" in page
    assert "Forge app" in index
    assert token not in page + index
    alone.bearer_call(token, "POST", "/bulk", json={"incidents": [incident()]})
    assert "inc-1" in alone.page().text
