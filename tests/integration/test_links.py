"""Linking a workspace and a site, in a real Jira simulator and in Relay."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx
import pytest

from relay.identity.api_keys import ApiKeys
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import Installation
from tests.integration.relay_stage import new_name
from tests.integration.simulator_stage import Simulator, until
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.gateway import Functions, Gateway, connections_closed, gateway
from tests.support.template import routes

WORKSPACE = "payments"
OTHER_WORKSPACE = "search"
FUNCTIONS = ("descriptor", "lifecycle", "workspaces", "links")


@pytest.fixture
def relay(
    function: Callable[..., ModuleType], simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gateway]:
    keys = f"{simulator.url}/install-keys"
    functions = Functions(lambda name: function(name, INSTALL_KEYS_URL=keys))
    with gateway(functions) as served, connections_closed(monkeypatch):
        monkeypatch.setenv("BASE_URL", served.url)
        yield served


@dataclass(frozen=True)
class Provider:
    """The operations tool: calls Relay with its key."""

    http: httpx.Client

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, path, json=body)

    def link(self, site: str, workspace: str = WORKSPACE) -> httpx.Response:
        return self.call("PUT", f"/v1/sites/{site}/workspaces/{workspace}")

    def unlink(self, site: str, workspace: str = WORKSPACE) -> httpx.Response:
        return self.call("DELETE", f"/v1/sites/{site}/workspaces/{workspace}")

    def linked(self, site: str) -> Any:
        return self.call("GET", f"/v1/sites/{site}/workspaces").json()["workspaces"]


@pytest.fixture
def provider(relay: Gateway, api_key: str) -> Iterator[Provider]:
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(base_url=relay.url, headers=headers, trust_env=False) as http:
        provider = Provider(http)
        for workspace in (WORKSPACE, OTHER_WORKSPACE):
            document = {"name": workspace.title(), "url": "https://ops.example.com/w"}
            answer = provider.call("PUT", f"/v1/workspaces/{workspace}", document)
            assert answer.status_code == 200
        yield provider


@dataclass(frozen=True)
class Site:
    """A site of the simulator that has Relay installed; `id` is Relay's own for it."""

    simulator: Simulator
    name: str
    id: str
    secret: str

    @property
    def in_jira(self) -> Any:
        return self.simulator.site(self.name)["linkedWorkspaces"]

    @property
    def calls(self) -> list[Any]:
        return [(call["method"], call["status"]) for call in self.simulator.calls(self.name)]

    def uninstall(self) -> None:
        self.simulator.control("POST", f"/sites/{self.name}/uninstall").raise_for_status()


@pytest.fixture
def install(simulator: Simulator, relay: Gateway) -> Callable[[], Site]:
    def install_relay() -> Site:
        name = new_name()
        simulator.create(name)
        descriptor = {"descriptorUrl": f"{relay.url}/atlassian-connect.json"}
        answer = simulator.control("POST", f"/sites/{name}/install", descriptor)
        assert answer.status_code == 200, answer.text
        assert [call["status"] for call in answer.json()["calls"]] == [204, 204]
        document = answer.json()["site"]
        tenants = relay.functions["lifecycle"].tenants
        tenant = tenants.find_by_client_key(document["clientKey"])
        return Site(simulator, name, tenant.id, document["sharedSecret"])

    return install_relay


@pytest.fixture
def site(install: Callable[[], Site]) -> Site:
    return install()


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# --- Linking ---


def test_a_link_is_created_in_jira_and_in_relay(provider: Provider, site: Site) -> None:
    answer = provider.link(site.id)
    assert answer.status_code == 200
    assert answer.json() == {"site": site.id, "workspaceId": WORKSPACE}
    assert site.in_jira == [WORKSPACE]
    assert provider.linked(site.id) == [WORKSPACE]


def test_linking_twice_creates_one_link(provider: Provider, site: Site) -> None:
    assert [provider.link(site.id).status_code for _ in range(2)] == [200, 200]
    assert site.in_jira == [WORKSPACE]
    assert provider.linked(site.id) == [WORKSPACE]


def test_unlinking_removes_the_link_in_jira_and_relay_and_may_be_repeated(
    provider: Provider, site: Site
) -> None:
    provider.link(site.id)
    provider.link(site.id, OTHER_WORKSPACE)
    assert [provider.unlink(site.id).status_code for _ in range(2)] == [204, 204]
    assert site.in_jira == [OTHER_WORKSPACE]
    assert provider.linked(site.id) == [OTHER_WORKSPACE]


def test_a_workspace_may_be_linked_to_several_sites_independently(
    provider: Provider, install: Callable[[], Site]
) -> None:
    first, second = install(), install()
    for site in (first, second):
        assert provider.link(site.id).status_code == 200
    assert provider.unlink(first.id).status_code == 204
    assert first.in_jira == []
    assert second.in_jira == [WORKSPACE]
    assert provider.linked(second.id) == [WORKSPACE]


def test_an_unknown_workspace_or_site_cannot_be_linked(provider: Provider, site: Site) -> None:
    assert error(provider.link("no-such-site")) == (404, "unknown_site")
    assert error(provider.link(site.id, "no-such-workspace")) == (404, "unknown_workspace")
    assert error(provider.unlink("no-such-site")) == (404, "unknown_site")
    assert error(provider.call("GET", "/v1/sites/no-such-site")) == (404, "unknown_site")
    nowhere = provider.call("GET", "/v1/sites/no-such-site/workspaces")
    assert error(nowhere) == (404, "unknown_site")
    assert site.calls == []


def test_a_site_is_not_addressed_by_its_client_key(
    provider: Provider, site: Site, simulator: Simulator
) -> None:
    client_key = simulator.site(site.name)["clientKey"]
    assert error(provider.link(client_key)) == (404, "unknown_site")


def test_an_id_names_the_same_workspace_in_jira(provider: Provider, site: Site) -> None:
    """Jira accepts a comma-separated list; an id with a comma must not unlink two others."""
    provider.link(site.id)
    provider.link(site.id, OTHER_WORKSPACE)
    for id_ in (f"{WORKSPACE},{OTHER_WORKSPACE}", "w" * 129, "a b"):
        assert error(provider.unlink(site.id, id_)) == (400, "bad_request")
        assert error(provider.link(site.id, id_)) == (400, "bad_request")
    assert sorted(site.in_jira) == [WORKSPACE, OTHER_WORKSPACE]


# --- A site without the app ---


def test_a_site_that_has_uninstalled_the_app_cannot_be_linked(
    provider: Provider, site: Site
) -> None:
    site.uninstall()
    assert error(provider.link(site.id)) == (409, "uninstalled")
    assert site.calls == []
    assert provider.linked(site.id) == []


def test_a_link_to_a_site_that_has_uninstalled_the_app_can_still_be_removed(
    provider: Provider, site: Site
) -> None:
    provider.link(site.id)
    site.uninstall()
    assert provider.linked(site.id) == [WORKSPACE]
    assert provider.unlink(site.id).status_code == 204
    assert provider.linked(site.id) == []


def test_a_link_survives_a_reinstall(
    provider: Provider, site: Site, relay: Gateway, simulator: Simulator
) -> None:
    installed_at = int(time.time())
    provider.link(site.id)
    site.uninstall()
    # Two installs within one second would have the same token.
    until(lambda: time.time() >= installed_at + 1)
    descriptor = {"descriptorUrl": f"{relay.url}/atlassian-connect.json"}
    again = simulator.control("POST", f"/sites/{site.name}/install", descriptor)
    assert again.status_code == 200, again.text
    assert provider.linked(site.id) == [WORKSPACE]
    assert provider.link(site.id).status_code == 200
    assert site.in_jira == [WORKSPACE]


# --- Jira or AWS in trouble ---


def installed_at(relay: Gateway, base_url: str, secret: str) -> str:
    installation = Installation(f"client-at-{base_url}", base_url, secret)
    tenant = relay.functions["lifecycle"].tenants.install(installation, LifecycleToken(1, "x"))
    return str(tenant.id)


def test_nothing_is_linked_when_jira_cannot_be_reached(provider: Provider, relay: Gateway) -> None:
    nowhere = installed_at(relay, "http://127.0.0.1:1", "a secret that is long enough for HS256")
    for answer in (provider.link(nowhere), provider.unlink(nowhere)):
        assert error(answer) == (503, "jira_unavailable")
    links = relay.functions["links"].parts.links
    assert links.workspaces_of(nowhere) == []
    assert links.of_workspace(WORKSPACE) == []


def test_nothing_is_linked_when_jira_refuses(
    provider: Provider, relay: Gateway, simulator: Simulator, site: Site
) -> None:
    base_url = simulator.site(site.name)["baseUrl"]
    refused = installed_at(relay, base_url, "another secret than the one that Jira knows")
    answer = provider.link(refused)
    assert error(answer) == (502, "jira_refused")
    assert answer.json()["error"]["jiraStatus"] == 401
    assert relay.functions["links"].parts.links.workspaces_of(refused) == []
    assert site.in_jira == []


def test_a_link_stays_in_relay_until_jira_has_removed_it(
    provider: Provider, relay: Gateway
) -> None:
    nowhere = installed_at(relay, "http://127.0.0.1:1", "a secret that is long enough for HS256")
    links = relay.functions["links"].parts.links
    links.link(nowhere, WORKSPACE)
    assert provider.unlink(nowhere).status_code == 503
    assert links.workspaces_of(nowhere) == [WORKSPACE]


def test_repeating_an_interrupted_link_completes_it(
    provider: Provider, relay: Gateway, site: Site
) -> None:
    def break_off(operation: str) -> None:
        if operation == "TransactWriteItems":
            raise unreachable()

    for call, status, left in ((provider.link, 200, [WORKSPACE]), (provider.unlink, 204, [])):
        with aws_calls() as calls:
            calls.before = break_off
            assert error(call(site.id)) == (503, "unavailable")
        assert site.in_jira == left
        assert call(site.id).status_code == status
        assert relay.functions["links"].parts.links.workspaces_of(site.id) == left


# --- Permissions ---


def test_sites_are_listed_without_their_secrets(
    provider: Provider, install: Callable[[], Site], simulator: Simulator
) -> None:
    sites = [install(), install()]
    sites[1].uninstall()
    answer = provider.call("GET", "/v1/sites")
    listed = {one["id"]: one for one in answer.json()["sites"]}
    assert set(listed) == {site.id for site in sites}
    assert [listed[site.id]["state"] for site in sites] == ["active", "uninstalled"]
    for site in sites:
        document = simulator.site(site.name)
        assert listed[site.id]["clientKey"] == document["clientKey"]
        assert listed[site.id]["baseUrl"] == document["baseUrl"]
        assert provider.call("GET", f"/v1/sites/{site.id}").json() == listed[site.id]
        assert site.secret not in answer.text


@pytest.mark.parametrize("workspaces", [[WORKSPACE], [WORKSPACE, OTHER_WORKSPACE], []])
def test_a_key_for_some_workspaces_cannot_manage_sites(
    relay: Gateway, provider: Provider, site: Site, aws: Aws, workspaces: list[str]
) -> None:
    scoped = ApiKeys(aws.dynamodb, aws.environment["API_KEYS_TABLE"]).issue(workspaces)
    headers = {"Authorization": f"Bearer {scoped}"}
    reads = {route for method, route in routes("links") if method == "GET"}
    for method, route in routes("links"):
        path = route.replace("{site}", site.id).replace("{workspaceId}", WORKSPACE)
        answer = provider.http.request(method, path, headers=headers)
        if method not in ("GET", "HEAD"):
            assert error(answer) == (403, "forbidden")
            assert site.id not in answer.text
        elif route.endswith("/erasure"):
            # An erased site is linked to nothing.
            assert answer.status_code == 403
        elif route in ("/v1/sites", "/v1/workspaces/{workspaceId}/sites"):
            own = route == "/v1/sites" or WORKSPACE in workspaces
            assert answer.status_code == (200 if own else 403)
            assert site.id not in answer.text
        else:
            # The site is linked to none of them, so it is not found.
            assert answer.status_code == 404
    assert len(reads) == 5
    assert site.in_jira == []
    assert relay.functions["links"].parts.links.workspaces_of(site.id) == []
