"""Forge's routes, and what its tokens open elsewhere, with real functions and really signed tokens.

`test_forge_token` has the rules of the token itself; `test_isolation` shows that an action reveals
nothing about other sites, under either identity.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from relay.errors import Unavailable
from relay.tenants.tenant import Tenant, TenantState
from relay.tenants.troubles import Trouble, TroubleStore
from tests.integration.relay_stage import JSON, Relay, relay_with
from tests.security import forgery
from tests.security.answers import is_error, refused
from tests.security.forge_stage import (
    INSTALLED,
    LIFECYCLE,
    ROUTES,
    SCHEDULE,
    STATUS,
    STEPS,
    TICK,
    UNINSTALLED,
    Forge,
    ForgeCalls,
    ForgeSite,
    forge_key,
    running_forge,
)
from tests.support.aws import Aws
from tests.support.clock import Clock
from tests.support.forge import OTHER_APP_ID, ForgeKey, module_of, payload, signed
from tests.support.key_server import KeyServer
from tests.support.lifecycle import ACME, GLOBEX, Jira
from tests.support.lifecycle import INSTALLED as CONNECT_INSTALLED
from tests.support.template import routes
from tests.support.tokens import InstallKey, claims, signed_callback

Stored = Callable[[], list[Any]]
ACTIONS = {
    "fetch_workspaces": ("POST", "/workspaces/fetch", {"ids": ["payments"]}),
    "search_containers": ("GET", "/containers/search", None),
    "entity_associated": (
        "PUT",
        "/entities/associated",
        {"entity": {"id": "inc-1"}, "associatedWith": {"id": "10068"}},
    ),
    "entity_disassociated": (
        "PUT",
        "/entities/disassociated",
        {"entity": {"id": "inc-1"}, "disassociatedFrom": {"id": "10068"}},
    ),
    "create_post_incident_review": ("POST", "/post-incident-reviews/new?incident=inc-1", None),
}
# An action's response to an authenticated site that has nothing.
PROVEN = (200, 204, 404)
MIGRATION = 1024
HERE, THERE = ForgeSite("here"), ForgeSite("there")
MALLORYS = "mallorys-system-token-which-must-never-become-a-sites"


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running_forge() as forge:
        yield forge


@pytest.fixture
def load(
    function: Callable[..., ModuleType], forge: Forge, keys: KeyServer
) -> Callable[..., ModuleType]:
    def load_function(name: str, **variables: str) -> ModuleType:
        urls = {"FORGE_KEYS_URL": forge.keys_url, "INSTALL_KEYS_URL": keys.url}
        return function(name, **urls | variables)

    return load_function


@pytest.fixture
def relay(
    load: Callable[..., ModuleType], aws: Aws, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Relay]:
    with relay_with(load, aws, api_key, monkeypatch) as relay:
        yield relay


@pytest.fixture
def calls(relay: Relay, forge: Forge) -> ForgeCalls:
    return ForgeCalls(relay, forge)


@pytest.fixture
def jira(relay: Relay, install_key: InstallKey) -> Jira:
    """Connect's side of the same functions."""
    return Jira(relay.gateway.functions["lifecycle"], install_key)


def body_of(path: str) -> Any:
    return {"migrationId": MIGRATION} if "/migrations/" in path else {"id": "event"}


def url_of(path: str) -> str:
    return f"{path}?migrationId={MIGRATION}" if path == STATUS else path


def act(calls: ForgeCalls, function: str, token: str) -> int:
    method, url, body = ACTIONS[function]
    return calls.call(url, token, body, method).status


Tokens = Callable[[str], str]


def tokens(calls: ForgeCalls, site: ForgeSite, **changes: Any) -> Tokens:
    """Tokens by path, all issued now."""
    paths = [path for _, path in ROUTES] + [url.partition("?")[0] for _, url, _ in ACTIONS.values()]
    return {path: calls.forge.token(site, path, **changes) for path in paths}.__getitem__


def everywhere(calls: ForgeCalls, token_for: Tokens) -> set[int]:
    """The responses of every route that names the calling site to these tokens."""
    answers = {
        act(calls, function, token_for(url.partition("?")[0]))
        for function, (_, url, _) in ACTIONS.items()
    }
    for method, path in ROUTES:
        if "/migrations/" in path:
            answers.add(calls.call(url_of(path), token_for(path), body_of(path), method).status)
    return answers


def test_the_tested_routes_are_the_templates() -> None:
    # HEAD is answered like GET; the scanner's tests call it everywhere.
    assert set(ROUTES) == {route for route in routes("forge") if route[0] != "HEAD"}


# --- Authentication ---


def headers_that_prove_nothing(
    calls: ForgeCalls, api_key: str, method: str, url: str
) -> dict[str, tuple[str, dict[str, str]]]:
    """The URL and headers of each attempt, for a site that has the app under both identities."""
    token, now = partial(calls.forge.token, path=url.partition("?")[0]), int(time.time())
    connect = signed_callback(ACME.secret, claims(ACME.client_key, method, url))
    own = payload(
        {
            "app.installationId": HERE.installation_id,
            "app.installation": None,
            "app.module": module_of(url.partition("?")[0]),
        }
    )
    header = {"typ": "JWT", "kid": forge_key().kid}
    bearers = {
        "Connect's token as a bearer": connect,
        "an API key": api_key,
        "another app's": token(HERE, aud=OTHER_APP_ID, app__id=OTHER_APP_ID),
        "another app's, for this audience": token(HERE, app__id=OTHER_APP_ID),
        "for another audience": token(HERE, aud=OTHER_APP_ID),
        "of another issuer": token(HERE, iss="forge/context-token"),
        "expired": token(HERE, iat=now - 100),
        "not valid yet": token(HERE, iat=now + 100),
        "of another environment": token(HERE, app__environment__type="DEVELOPMENT"),
        "of a person's call": token(HERE, principal="557058:a-person"),
        "of a page": token(HERE, app__module__type="xen:macro"),
        "of another module": token(HERE, app__module__key="another"),
        "for another host": token(HERE, app__apiBaseUrl="https://evil.example/ex/jira/x"),
        "of another key": signed(ForgeKey(), own),
        "unsigned": forgery.unsigned(header | {"alg": "none"}, own),
        "HS256 by the site's secret": forgery.hs256(
            header | {"alg": "HS256"}, own, ACME.secret.encode()
        ),
        "changed": forgery.with_last_character_changed(token(HERE)),
        "without its signature": forgery.without_signature(token(HERE)),
        "nothing": "",
    }
    query = "&" if "?" in url else "?"
    found = {name: (url, {"authorization": f"Bearer {one}"}) for name, one in bearers.items()}
    return found | {
        "no token": (url, {}),
        "Connect's token": (url, {"authorization": f"JWT {connect}"}),
        "Connect's token in the query": (f"{url}{query}jwt={connect}", {}),
        "Forge's token as Connect's": (url, {"authorization": f"JWT {token(HERE)}"}),
        "Forge's token in the query": (f"{url}{query}jwt={token(HERE)}", {}),
    }


def test_only_forges_own_token_opens_a_route_and_nothing_else_is_written(
    calls: ForgeCalls, api_key: str, aws: Aws, stored: Stored, subtests: pytest.Subtests
) -> None:
    relay, queue = calls.relay, aws.environment["REPLAYS_QUEUE"]
    calls.forge.tells_client_key(HERE, ACME.client_key)
    relay.install(ACME)
    calls.install(HERE)
    assert calls.migration(SCHEDULE, HERE, MIGRATION).status == 204
    before, asked = stored(), list(calls.forge.api.requests)
    for method, path in ROUTES:
        attempts = headers_that_prove_nothing(calls, api_key, method, url_of(path))
        for name, (url, headers) in attempts.items():
            sent = headers | JSON | {"x-forge-oauth-system": MALLORYS}
            with subtests.test(name, route=f"{method} {path}"):
                assert refused(relay.call(method, url, body_of(path), sent))
    assert stored() == before
    assert calls.forge.api.requests == asked
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=queue)


def test_each_route_accepts_forges_own_token(calls: ForgeCalls, subtests: pytest.Subtests) -> None:
    """Otherwise the test above could not fail."""
    calls.install(HERE)
    in_order = [("POST", INSTALLED), *ROUTES[1:3], *ROUTES[4:], ("POST", UNINSTALLED)]
    assert sorted(in_order) == sorted(ROUTES)
    for method, path in in_order:
        with subtests.test(route=f"{method} {path}"):
            answer = calls.call(url_of(path), calls.forge.token(HERE, path), body_of(path), method)
            assert answer.status == (200 if method == "GET" else 204)


def test_forges_token_opens_no_provider_or_connect_lifecycle_route(
    calls: ForgeCalls, stored: Stored, subtests: pytest.Subtests
) -> None:
    calls.install(HERE)
    before = stored()
    urls = [("GET", "/v1/sites"), ("GET", "/v1/workspaces"), ("PUT", "/v1/workspaces/payments")]
    urls += [(method, path) for method, path in routes("lifecycle")]
    for method, url in urls:
        for scheme in ("Bearer", "JWT"):
            with subtests.test(url=url, scheme=scheme):
                headers = {"authorization": f"{scheme} {calls.forge.token(HERE)}"}
                assert refused(calls.relay.call(method, url, ACME.body(), headers | JSON))
    assert stored() == before


def test_without_a_forge_app_no_bearer_is_accepted(
    load: Callable[..., ModuleType],
    forge: Forge,
    aws: Aws,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
    stored: Stored,
    subtests: pytest.Subtests,
) -> None:
    with relay_with(load, aws, api_key, monkeypatch, FORGE_APP_ID="") as relay:
        calls = ForgeCalls(relay, forge)
        relay.install(ACME)
        before = stored()
        for name, token in {
            "the app's, when it was on Forge": forge.token(HERE),
            "no app's": forge.token(HERE, aud="", app__id=""),
            "no app's audience": forge.token(HERE, aud=""),
            "a list of no app": forge.token(HERE, aud=[""], app__id=""),
            "an API key": api_key,
        }.items():
            with subtests.test(name):
                assert {act(calls, function, token) for function in ACTIONS} == {401}
                for method, path in ROUTES:
                    assert refused(calls.call(url_of(path), token, body_of(path), method))
        assert stored() == before
        # Connect is not affected.
        fetched = relay.jira(ACME, "POST", "/workspaces/fetch", {"ids": ["payments"]})
        assert fetched.status == 200


# --- Several installations ---


def items_of(relay: Relay, tenant_id: str) -> list[Any]:
    """Everything stored of this tenant in the tenants' table, and the items that find it."""
    table = relay.aws.environment["TENANTS_TABLE"]
    found = relay.aws.dynamodb.scan(TableName=table)["Items"]
    return sorted((item for item in found if tenant_id in str(item)), key=str)


def test_a_token_of_one_installation_cannot_migrate_another(
    calls: ForgeCalls, subtests: pytest.Subtests
) -> None:
    for site in (HERE, THERE):
        calls.install(site)
    there = calls.tenant(THERE).id
    assert calls.migration(SCHEDULE, THERE, MIGRATION, location="EU").status == 204
    before = items_of(calls.relay, there)
    naming = {
        "cloudId": THERE.cloud_id,
        "installationId": THERE.installation_id,
        "tenantId": there,
        "context": {"cloudId": THERE.cloud_id},
        "app": {"installationId": THERE.installation_id},
    }
    for path in (*STEPS, STATUS):
        with subtests.test(path=path):
            theirs = calls.migration(path, HERE, MIGRATION, **naming)
            nobodys = calls.migration(path, HERE, MIGRATION + 1, **naming)
            assert is_error(theirs, 409, "unknown_migration")
            assert theirs.body == nobodys.body
    # One with the same id is the site's own.
    assert calls.migration(SCHEDULE, HERE, MIGRATION, location="US", **naming).status == 204
    assert calls.migration(STEPS[0], HERE, MIGRATION, **naming).status == 204
    assert calls.migration(STATUS, HERE, MIGRATION).json() == {"status": "ready-to-commit"}
    assert items_of(calls.relay, there) == before
    assert calls.migration(STATUS, THERE, MIGRATION).json() == {"status": "scheduled"}


def test_a_lifecycle_call_changes_its_tokens_installation_only(
    calls: ForgeCalls, subtests: pytest.Subtests
) -> None:
    """The body names another one, in every possible way."""
    for site in (HERE, THERE):
        calls.install(site)
    there = calls.tenant(THERE).id
    before = items_of(calls.relay, there)
    body = {
        "installationId": THERE.installation_id,
        "id": THERE.installation_id,
        "context": {"cloudId": THERE.cloud_id, "installContext": THERE.cloud_id},
        "app": {"installationId": THERE.installation_id},
        "contextToken": calls.forge.token(THERE),
        "systemToken": MALLORYS,
        "clientKey": ACME.client_key,
    }
    for path in LIFECYCLE:
        with subtests.test(path=path):
            answer = calls.call(path, calls.forge.token(HERE, path), body, system_token="a-new-one")
            assert answer.status == 204
            assert items_of(calls.relay, there) == before
    assert calls.relay.tenants.system_token_of(calls.tenant(THERE)) == THERE.system_token


def test_a_token_that_names_two_installations_or_two_sites_is_refused(
    calls: ForgeCalls, stored: Stored, subtests: pytest.Subtests
) -> None:
    for site in (HERE, THERE):
        calls.install(site)
    before = stored()
    for changes in (
        {"app__installation__id": THERE.installation_id},
        {"context__cloudId": THERE.cloud_id},
        {"app__apiBaseUrl": calls.forge.api_base_url(THERE)},
    ):
        token_for = tokens(calls, HERE, **changes)
        with subtests.test(str(changes)):
            assert everywhere(calls, token_for) == {401}
            assert {calls.call(path, token_for(path)).status for path in LIFECYCLE} == {401}
    assert stored() == before


# --- The system token ---


def test_the_system_token_is_in_no_item_and_no_log_line(
    calls: ForgeCalls, aws: Aws, written: Callable[[], str]
) -> None:
    """Neither where it was stored, nor after two tenants were merged."""
    sites = {HERE: ACME, THERE: GLOBEX}
    for site, connect in sites.items():
        calls.relay.install(connect)
        calls.install(site)
        calls.forge.tells_client_key(site, connect.client_key)
    assert calls.lifecycle(TICK, HERE).status == 204
    assert calls.lifecycle(INSTALLED, THERE).status == 204
    assert [tenant.merged_into is None for tenant in calls.relay.tenants.all()].count(False) == 2
    assert calls.migration(SCHEDULE, HERE, MIGRATION).status == 204
    kept = [calls.relay.tenants.system_token_of(calls.tenant(site)) for site in sites]
    assert kept == [site.system_token for site in sites], "else nothing is proven"

    values = {site.system_token.encode() for site in sites}
    values |= {base64.b64encode(value)[:-4] for value in values}
    queued = aws.sqs.receive_message(QueueUrl=aws.environment["REPLAYS_QUEUE"])
    everything = b"".join(raw_values(aws)) + json.dumps(queued, default=str).encode()
    assert len(everything) > 2000, "else nothing is proven"
    assert [value for value in values if value in everything] == []

    text = written()
    assert text.count('"Answered"') == 5, "else nothing is proven"
    assert [value for value in values if value.decode() in text] == []


def raw_values(aws: Aws) -> Iterator[bytes]:
    """Every value of every item, binary ones unchanged."""

    def flat(value: Any) -> Iterator[bytes]:
        if isinstance(value, dict):
            for one in value.values():
                yield from flat(one)
        elif isinstance(value, list | tuple | set):
            for one in value:
                yield from flat(one)
        else:
            yield value if isinstance(value, bytes) else str(value).encode()

    for table in aws.dynamodb.list_tables()["TableNames"]:
        for item in aws.dynamodb.scan(TableName=table)["Items"]:
            yield from flat(item)


def test_a_system_token_copied_to_another_tenant_cannot_be_decrypted(
    calls: ForgeCalls, aws: Aws
) -> None:
    here, there = calls.install(HERE), calls.install(THERE)
    table = aws.environment["TENANTS_TABLE"]

    def item(tenant_id: str) -> dict[str, Any]:
        key = {"pk": {"S": f"tenant#{tenant_id}"}, "sk": {"S": "tenant"}}
        return dict(aws.dynamodb.get_item(TableName=table, Key=key)["Item"])

    stolen = {name: item(there.id)[name] for name in ("systemToken", "systemTokenKey")}
    aws.dynamodb.put_item(TableName=table, Item=item(here.id) | stolen)
    with pytest.raises((ClientError, Unavailable)):
        calls.relay.tenants.system_token_of(calls.tenant(HERE))
    asked = list(calls.forge.api.requests)
    # A call by Relay's operator that would use it.
    assert calls.relay.provider("GET", f"/v1/sites/{here.id}/workspaces").status == 503
    assert calls.forge.api.requests == asked
    assert calls.relay.tenants.system_token_of(calls.tenant(THERE)) == THERE.system_token


def test_an_uninstall_removes_the_token_from_the_table(
    calls: ForgeCalls, aws: Aws, stored: Stored
) -> None:
    calls.relay.install(ACME)
    calls.forge.tells_client_key(HERE, ACME.client_key)
    for site in (HERE, THERE):
        calls.install(site)
    assert str(stored()).count("'systemToken'") == 2
    for site in (HERE, THERE):
        tenant = calls.tenant(site)
        assert tenant.forge
        assert tenant.forge.system_token
        sealed = tenant.forge.system_token
        assert calls.lifecycle(UNINSTALLED, site).status == 204
        everything = b"".join(raw_values(aws))
        assert sealed.ciphertext not in everything
        assert sealed.data_key not in everything
    assert "systemToken" not in str(stored())


# --- Old and used tokens ---


def refused_since(aws: Aws, tenant: Tenant, code: str) -> None:
    troubles = TroubleStore(aws.dynamodb, aws.environment["TENANTS_TABLE"])
    now = int(time.time() * 1000)
    trouble = Trouble(code, "Jira refused", True, now, now, now + 60_000, 1)
    assert troubles.put(tenant.id, trouble, None)


@pytest.fixture
def troubled(calls: ForgeCalls, aws: Aws) -> int:
    """HERE is installed, and Jira has refused its token since; returns when the token was
    issued.
    """
    now = int(time.time())
    tenant = calls.install(HERE, iat=now - 20)
    refused_since(aws, tenant, "credential_refused")
    return now - 20


@pytest.mark.parametrize("path", LIFECYCLE)
def test_an_older_token_changes_nothing(
    calls: ForgeCalls, troubled: int, stored: Stored, path: str
) -> None:
    before = stored()
    assert "credential_refused" in str(before)
    older = calls.forge.token(HERE, path, iat=troubled - 5)
    assert calls.call(path, older, system_token=MALLORYS).status == 204
    assert stored() == before


@pytest.mark.parametrize("path", LIFECYCLE)
@pytest.mark.parametrize("used_at", [INSTALLED, TICK])
def test_a_used_token_with_another_system_token_changes_nothing(
    calls: ForgeCalls, troubled: int, aws: Aws, stored: Stored, used_at: str, path: str
) -> None:
    token = calls.forge.token(HERE, used_at, iat=troubled + 5)
    assert calls.call(used_at, token, system_token=HERE.system_token).status == 204
    refused_since(aws, calls.tenant(HERE), "access_refused")
    before = stored()
    for spelling in (token, f"{token}==", f" {token}"):
        calls.call(path, spelling, system_token=MALLORYS)
        assert stored() == before
    assert calls.relay.tenants.system_token_of(calls.tenant(HERE)) == HERE.system_token


def test_an_uninstalled_installations_token_proves_no_site(calls: ForgeCalls) -> None:
    """Whenever it was issued. Another site, and the site under Connect, are not affected."""
    calls.relay.install(ACME)
    calls.forge.tells_client_key(HERE, ACME.client_key)
    for site in (HERE, THERE):
        calls.install(site)
    made_before = tokens(calls, HERE)
    assert 401 not in everywhere(calls, made_before)
    assert calls.lifecycle(UNINSTALLED, HERE).status == 204
    for token_for in (made_before, tokens(calls, HERE)):
        assert everywhere(calls, token_for) == {401}
    assert 401 not in everywhere(calls, tokens(calls, THERE))
    fetched = calls.relay.jira(ACME, "POST", "/workspaces/fetch", {"ids": ["payments"]})
    assert fetched.status == 200


def test_neither_earlier_tokens_nor_its_own_undo_an_uninstall(
    calls: ForgeCalls, stored: Stored, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    calls.install(HERE, iat=now - 20)
    older = tokens(calls, HERE, iat=now - 15)
    used = calls.forge.token(HERE, UNINSTALLED, iat=now - 10)
    assert calls.call(UNINSTALLED, used).status == 204
    before = stored()
    for path in LIFECYCLE:
        with subtests.test("older", path=path):
            assert calls.call(path, older(path), system_token=MALLORYS).status == 204
            assert stored() == before
        with subtests.test("of the uninstall", path=path):
            status = calls.call(path, used, system_token=MALLORYS).status
            assert status == (204 if path == UNINSTALLED else 401)
            assert stored() == before
    assert calls.tenant(HERE).state is TenantState.UNINSTALLED


def test_an_earlier_installations_token_proves_nothing_about_a_later_one(
    calls: ForgeCalls, stored: Stored
) -> None:
    """The site and the tenant are the same, but that installation was removed."""
    first = calls.install(HERE)
    assert calls.lifecycle(UNINSTALLED, HERE, iat=int(time.time()) - 30).status == 204
    later = replace(HERE, number=THERE.number)
    assert calls.install(later, iat=int(time.time()) - 20).id == first.id
    before = stored()
    token_for = tokens(calls, HERE)
    assert everywhere(calls, token_for) == {401}
    assert calls.call(UNINSTALLED, token_for(UNINSTALLED)).status == 204
    assert stored() == before
    assert 401 not in everywhere(calls, tokens(calls, later))


# --- Merging tenants ---


def associate(relay: Relay, cloud_id: str) -> None:
    body = {"entity": {"id": "inc-1"}, "associatedWith": {"id": "10068", "cloudId": cloud_id}}
    assert relay.jira(ACME, "PUT", "/entities/associated", body).status == 204


@pytest.mark.parametrize("claimed_first", [True, False])
def test_a_cloud_id_claimed_by_connect_joins_nothing(
    calls: ForgeCalls, claimed_first: bool
) -> None:
    connect = calls.relay.install(ACME)
    if claimed_first:
        associate(calls.relay, HERE.cloud_id)
    calls.install(HERE)
    associate(calls.relay, HERE.cloud_id)
    assert calls.lifecycle(TICK, HERE).status == 204
    apart(calls, connect.id)
    # Nor does it find the site when Forge reinstalls the app.
    assert calls.lifecycle(UNINSTALLED, HERE).status == 204
    later = replace(HERE, number=THERE.number)
    answer = calls.lifecycle(INSTALLED, later, iat=int(time.time()) + 2)
    assert answer.status == 204
    assert calls.tenant(later).id != connect.id


@pytest.mark.parametrize("connect_first", [True, False])
def test_a_base_url_joins_nothing(calls: ForgeCalls, jira: Jira, connect_first: bool) -> None:
    """Connect's call may contain any base URL, including the one of Forge's API."""
    same = replace(ACME, base_url=calls.forge.api_base_url(HERE))
    if not connect_first:
        calls.install(HERE)
    assert jira.installed(same).status == 204
    if connect_first:
        calls.install(HERE)
    assert calls.lifecycle(TICK, HERE).status == 204
    connect = calls.relay.tenants.find_by_client_key(ACME.client_key)
    assert connect
    assert connect.base_url == calls.tenant(HERE).base_url
    apart(calls, connect.id)


def apart(calls: ForgeCalls, connect_id: str) -> None:
    """Two separate tenants, each with only its own secret."""
    connect, forge = calls.relay.tenants.existing(connect_id), calls.tenant(HERE)
    assert connect.id != forge.id
    assert (connect.forge, connect.merged_into) == (None, None)
    assert (forge.client_key, forge.secret, forge.merged_into) == (None, None, None)
    assert calls.relay.tenants.system_token_of(connect) is None


def test_a_client_key_claimed_by_forges_body_joins_nothing(calls: ForgeCalls) -> None:
    connect = calls.relay.install(ACME)
    body = {"clientKey": ACME.client_key, "context": {"clientKey": ACME.client_key}}
    for path in (INSTALLED, TICK):
        token = calls.forge.token(HERE, path, context__clientKey=ACME.client_key)
        answer = calls.call(path, token, body, system_token=HERE.system_token)
        assert answer.status == 204
    apart(calls, connect.id)


def test_the_client_key_is_requested_from_the_sites_own_jira_only(calls: ForgeCalls) -> None:
    connect = calls.relay.install(ACME)
    calls.forge.tells_client_key(THERE, ACME.client_key)
    calls.install(HERE)
    assert calls.forge.api.requests == [calls.forge.property_path(HERE)]
    apart(calls, connect.id)
    calls.forge.tells_client_key(HERE, ACME.client_key)
    assert calls.lifecycle(TICK, HERE).status == 204
    assert calls.tenant(HERE).id == connect.id
    # Once known, it is neither requested again nor changed.
    calls.forge.tells_client_key(HERE, GLOBEX.client_key)
    other = calls.relay.install(GLOBEX)
    asked = len(calls.forge.api.requests)
    assert calls.lifecycle(TICK, HERE).status == 204
    assert len(calls.forge.api.requests) == asked
    assert calls.tenant(HERE).id == connect.id
    assert calls.relay.tenants.existing(other.id).forge is None


def test_a_signed_lifecycle_call_joins_the_installation_that_it_names(
    calls: ForgeCalls, jira: Jira
) -> None:
    forge = calls.install(HERE)
    body = ACME.body(installationId=HERE.installation_id)
    assert jira.installed(ACME, body=body).status == 204
    connect = calls.relay.tenants.find_by_client_key(ACME.client_key)
    assert connect
    assert connect.id == forge.id == calls.tenant(HERE).id


def test_no_other_call_joins_an_installation(
    calls: ForgeCalls, jira: Jira, stored: Stored, clock: Clock, subtests: pytest.Subtests
) -> None:
    """Neither an unsigned call nor a used token with another body."""
    now = int(time.time())
    calls.install(HERE)
    used = jira.token(ACME, iat=now - 60, exp=now + 120)
    assert jira.installed(ACME, used).status == 204
    clock.seconds += 6
    body = ACME.body(installationId=HERE.installation_id)
    own = claims(ACME.client_key, "POST", CONNECT_INSTALLED, aud=jira.app_url)
    before = stored()
    for name, token, status in (
        ("none", None, 401),
        ("signed with the site's secret", signed_callback(ACME.secret, own), 401),
        ("another site's", jira.token(GLOBEX), 401),
        ("of another call", jira.token(ACME, "/lifecycle/uninstalled"), 401),
        ("used", used, 409),
        ("older", jira.token(ACME, iat=now - 80, exp=now + 60), 409),
    ):
        with subtests.test(name):
            answer = jira.post(CONNECT_INSTALLED, token, body)
            assert answer.status == status
            assert stored() == before
    with subtests.test("a call that is not an install"):
        jira.enabled(ACME)
        enabled = signed_callback(
            ACME.secret, claims(ACME.client_key, "POST", "/lifecycle/enabled")
        )
        assert jira.post("/lifecycle/enabled", enabled, body).status == 204
        assert stored() == before


def test_another_connect_sites_installation_is_not_joined(calls: ForgeCalls, jira: Jira) -> None:
    calls.forge.tells_client_key(HERE, GLOBEX.client_key)
    globex = calls.relay.install(GLOBEX)
    assert calls.install(HERE).id == globex.id
    before = items_of(calls.relay, globex.id)
    body = ACME.body(installationId=HERE.installation_id)
    assert jira.installed(ACME, body=body).status == 204
    acme = calls.relay.tenants.find_by_client_key(ACME.client_key)
    assert acme
    assert acme.id != globex.id
    assert acme.forge is None
    assert items_of(calls.relay, globex.id) == before


def test_a_forge_site_cannot_join_another_sites_installation(calls: ForgeCalls, jira: Jira) -> None:
    """Forge has proven the site's id; another one of Forge's is another site."""
    calls.forge.tells_client_key(HERE, ACME.client_key)
    connect = calls.relay.install(ACME)
    assert calls.install(HERE).id == connect.id
    there = calls.install(THERE)
    before = items_of(calls.relay, there.id)
    body = ACME.body(installationId=THERE.installation_id)
    assert jira.installed(ACME, body=body, iat=int(time.time()) + 2).status == 204
    assert calls.tenant(HERE).id == connect.id
    assert calls.tenant(THERE).id == there.id
    assert items_of(calls.relay, there.id) == before


def test_a_cloud_id_proven_by_forge_finds_the_site(calls: ForgeCalls) -> None:
    first = calls.install(HERE)
    other = calls.install(THERE)
    assert calls.lifecycle(UNINSTALLED, HERE, iat=int(time.time()) - 30).status == 204
    anew = ForgeSite("anew", cloud_id=HERE.cloud_id)
    assert calls.install(anew, iat=int(time.time()) - 20).id == first.id
    assert calls.tenant(THERE).id == other.id
