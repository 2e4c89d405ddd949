"""What a warm function asks of AWS for a call of Jira: the tenant once, and what the action needs.

What can't change is cached; an uninstalled site is refused immediately all the same.
"""

import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import Installation
from tests.integration.relay_stage import Relay, relay_with
from tests.security.forge_stage import UNINSTALLED, Forge, ForgeCalls, ForgeSite, running_forge
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls
from tests.support.entities import incident
from tests.support.key_server import KeyServer
from tests.support.lambdas import Answer
from tests.support.lifecycle import ACME

SITE = ForgeSite("acme")
FETCH = "/workspaces/fetch"
TENANT, LINKS, OFFERS = "GetItem tenant", "Query workspace#", "Query offer#"
ASSOCIATION = {"entity": {"id": "ID"}, "associatedWith": {"id": "10068"}}
DISASSOCIATION = {"entity": {"id": "ID"}, "disassociatedFrom": {"id": "10068"}}
# An action's call, ID being the incident's; and what it reads of the site, besides the tenant.
ACTIONS: dict[str, tuple[str, str, Any, list[str]]] = {
    "fetchWorkspaces": ("POST", FETCH, {"ids": ["payments"]}, [LINKS, OFFERS]),
    "searchContainers": ("GET", "/containers/search", None, [LINKS]),
    "onEntityAssociated": ("PUT", "/entities/associated", ASSOCIATION, [LINKS]),
    "onEntityDisassociated": ("PUT", "/entities/disassociated", DISASSOCIATION, [LINKS]),
    "createPostIncidentReview": ("POST", "/post-incident-reviews/new?incident=ID", None, [LINKS]),
}


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running_forge() as forge:
        yield forge


@pytest.fixture
def relay(
    function: Callable[..., ModuleType],
    forge: Forge,
    keys: KeyServer,
    aws: Aws,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Relay]:
    def load(name: str, **variables: str) -> ModuleType:
        urls = {"FORGE_KEYS_URL": forge.keys_url, "INSTALL_KEYS_URL": keys.url}
        return function(name, **urls | variables)

    with relay_with(load, aws, api_key, monkeypatch) as relay:
        relay.put_workspace("payments")
        relay.submit("payments", incidents=[incident("inc-1")])
        yield relay


@pytest.fixture
def calls(relay: Relay, forge: Forge) -> ForgeCalls:
    return ForgeCalls(relay, forge)


def asked(relay: Relay, act: Callable[[], Answer]) -> list[str]:
    """What a call that succeeds asks of KMS, and of the tenants' table, which holds the sites."""
    with aws_calls() as made:
        answer = act()
    assert answer.status in (200, 201, 204), answer.body
    tenants = relay.aws.environment["TENANTS_TABLE"]
    return [
        _named(operation, parameters)
        for operation, parameters in zip(made.names, made.parameters, strict=True)
        if operation == "Decrypt" or tenants in str(parameters)
    ]


def _named(operation: str, parameters: dict[str, Any]) -> str:
    if operation == "GetItem":
        return f"{operation} {parameters['Key']['pk']['S'].partition('#')[0]}"
    prefix = parameters.get("ExpressionAttributeValues", {}).get(":prefix", {})
    return f"{operation} {prefix.get('S', '')}".strip()


def _filled(part: Any, at_site: str) -> Any:
    if isinstance(part, dict):
        return {name: _filled(value, at_site) for name, value in part.items()}
    return part.replace("ID", at_site) if isinstance(part, str) else part


@pytest.mark.parametrize("identity", ["connect", "forge"])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_warm_function_reads_the_tenant_once(
    calls: ForgeCalls, action: str, identity: str
) -> None:
    relay, (method, url, body, own) = calls.relay, ACTIONS[action]
    tenant = relay.install(ACME) if identity == "connect" else calls.install(SITE)
    relay.links.link(tenant.id, "payments")
    at_site = relay.at_site("inc-1")
    url, body = _filled(url, at_site), _filled(body, at_site)

    def act() -> Answer:
        if identity == "connect":
            return relay.jira(ACME, method, url, body)
        return calls.call(url, calls.forge.token(SITE, url.partition("?")[0]), body, method)

    act()
    assert asked(relay, act) == [TENANT, *own]


def fetch(calls: ForgeCalls) -> Answer:
    return calls.call(FETCH, calls.forge.token(SITE, FETCH), {"ids": []})


def test_a_removed_installation_is_refused_immediately(calls: ForgeCalls) -> None:
    calls.install(SITE)
    assert fetch(calls).status == 200
    assert calls.lifecycle(UNINSTALLED, SITE).status == 204
    assert fetch(calls).status == 401
    calls.install(SITE, iat=int(time.time()))
    assert fetch(calls).status == 200


def test_an_installation_is_found_after_its_tenant_was_merged(calls: ForgeCalls) -> None:
    merged_away, remaining = calls.install(SITE), calls.relay.install(ACME)
    assert fetch(calls).status == 200
    naming = Installation(
        ACME.client_key, ACME.base_url, ACME.secret, installation_id=SITE.installation_id
    )
    calls.relay.tenants.install(naming, LifecycleToken(int(time.time()) + 1, uuid4().hex))
    assert calls.tenant(SITE).id == remaining.id != merged_away.id
    assert asked(calls.relay, lambda: fetch(calls)) == [TENANT, TENANT, LINKS, OFFERS]
    assert asked(calls.relay, lambda: fetch(calls)) == [TENANT, LINKS, OFFERS]


def test_the_cache_of_installations_is_bounded(
    calls: ForgeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.identity.site.IDS_MAX", 1)
    calls.install(SITE)
    other = ForgeSite("globex")
    calls.install(other)
    fetch(calls)
    assert asked(calls.relay, lambda: fetch(calls)) == [TENANT, LINKS, OFFERS]
    calls.call(FETCH, calls.forge.token(other, FETCH), {"ids": []})
    assert asked(calls.relay, lambda: fetch(calls)) == [
        "GetItem installationId",
        TENANT,
        LINKS,
        OFFERS,
    ]
