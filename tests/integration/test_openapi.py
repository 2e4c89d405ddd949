"""The OpenAPI document against the functions: its examples are their responses."""

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from infra.openapi.document import document
from infra.openapi.operation import Caller, Example, Operation
from infra.openapi.operations import INCIDENT, OPERATIONS, REVIEW
from infra.openapi.parameters import IDS, OTHER_SITE_ID, SITE_ID, SOURCE_ADDRESS
from infra.openapi.template import Route
from relay import keys
from relay.edge.http import HttpFunction
from relay.edge.shapes.sites import TROUBLES
from relay.table import key, to_item
from relay.tenants.identity_choice import Identity, IdentityChoice, IdentityChoiceStore
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import ForgeInstallation, Tenant
from tests.integration.page_stage import ADMIN, context_token, put_user
from tests.integration.relay_stage import JSON, JiraSite, Relay, install_from, relay_with
from tests.integration.simulator_stage import Simulator, running_simulator
from tests.integration.webhook_stage import https_hook
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls
from tests.support.forge import (
    API_BASE_URL,
    CLOUD_ID,
    INSTALLATION_ID,
    ForgeKey,
    key_set_server,
    module_of,
    payload,
    signed,
)
from tests.support.lambdas import Answer
from tests.support.lifecycle import Site, install_key, jira_with_its_key_server
from tests.support.template import functions
from tests.support.tokens import claims, signed_install

WORKSPACE = "payments"
_numbers = itertools.count(1)
DOCUMENT = document()
REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:relay", Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
)
SERVED = list(functions())
# In the order in which an installation makes them.
FORGES = [operation for operation in OPERATIONS.values() if operation.tag == "Forge"]
METHODS = ["GET", "POST", "PUT", "DELETE"]
# Reads before writes, and deletes last, the workspace after its contents: all run on one stack.
LAST = ("moveLinks", "unlinkFromPage", "unlink", "deleteWorkspace")
IN_ORDER = sorted(
    OPERATIONS.values(),
    key=lambda one: (METHODS.index(one.route.method), one.id in LAST and LAST.index(one.id) + 1),
)
# For these fields, an example has exactly the value of the response.
TOLD = ("state", "code", "what", "why", "inUse", "status")
EACH_OPERATION = pytest.mark.parametrize(
    "operation", [pytest.param(operation, id=operation.id) for operation in OPERATIONS.values()]
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("jira")
    with running_simulator(folder, "--visible-after-seconds", "0") as running:
        yield running


@cache
def forge_key() -> ForgeKey:
    return ForgeKey()


@pytest.fixture(scope="module")
def forge_keys_url() -> Iterator[str]:
    with key_set_server() as server:
        server.publish(forge_key().jwk())
        yield server.url


@pytest.fixture
def relay(
    function: Callable[..., ModuleType],
    aws: Aws,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
    simulator: Simulator,
    forge_keys_url: str,
) -> Iterator[Relay]:
    variables = {
        "REVIEW_URL_TEMPLATE": "https://ops.example.com/reviews/new?incident={incident-id}",
        "FORGE_KEYS_URL": forge_keys_url,
    }
    with relay_with(function, aws, api_key, monkeypatch, simulator, **variables) as relay:
        yield relay


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    """A site with everything that the examples mention."""
    site = install_from(relay, simulator, f"site-{next(_numbers)}")
    relay.put_workspace(WORKSPACE, "Payments")
    # The key in the examples.
    key = {"pk": {"S": f"workspace#{WORKSPACE}"}, "sk": {"S": "key"}, "key": {"S": IDS.key}}
    relay.aws.dynamodb.put_item(TableName=relay.aws.environment["TENANTS_TABLE"], Item=key)
    container = {
        "id": "checkout-api",
        "name": "Checkout API",
        "url": "https://ops.example.com/services/checkout-api",
        "lastUpdatedDate": "2026-01-31T09:30:00Z",
    }
    webhook = {
        "url": "https://ops.example.com/hooks/relay",
        "secret": "whsec_bm90IGEgc2VjcmV0LCBqdXN0IGFuIGV4YW1wbGU=",
    }
    path = f"/v1/workspaces/{WORKSPACE}"
    source = {"kind": "alertmanager", "settings": {"component": "platform"}}
    prepared = [
        relay.provider("PUT", f"{path}/sources/alertmanager", source),
        # Of which an example renews the URL.
        relay.provider("PUT", f"{path}/sources/staging", source),
        relay.provider("POST", f"{path}/containers", {"containers": [container]}),
        relay.provider("PUT", f"{path}/webhook", webhook),
        relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{WORKSPACE}"),
    ]
    assert [answer.status for answer in prepared] == [200] * len(prepared)
    let_the_source_have_the_address_of_the_examples(relay)
    properties = {"region": "eu"}
    assert not relay.submit(
        WORKSPACE, incidents=[INCIDENT], reviews=[REVIEW], properties=properties
    )
    relay.key_for(WORKSPACE)
    put_user(site, ADMIN, admin=True)
    return site


def let_the_source_have_the_address_of_the_examples(relay: Relay) -> None:
    table = relay.aws.environment["CATALOG_TABLE"]
    address_hash = hashlib.sha256(SOURCE_ADDRESS.encode()).hexdigest()
    place = {"workspaceId": WORKSPACE, "sourceId": "alertmanager"}
    pk, sk = keys.source_address(address_hash)
    relay.aws.dynamodb.put_item(TableName=table, Item=to_item({"pk": pk, "sk": sk, **place}))
    relay.aws.dynamodb.update_item(
        TableName=table,
        Key=key(*keys.source(WORKSPACE, "alertmanager")),
        UpdateExpression="SET addressHash = :hash",
        ExpressionAttributeValues=to_item({":hash": address_hash}),
    )


@pytest.fixture
def other_site(relay: Relay, simulator: Simulator) -> JiraSite:
    """A site with nothing."""
    return install_from(relay, simulator, f"site-{next(_numbers)}")


def make(relay: Relay, site: Site, operation: Operation, url: str, body: Any = None) -> Answer:
    """Make the call as the caller it belongs to."""
    method = operation.route.method
    if operation.caller is Caller.PROVIDER:
        return relay.provider(method, url, body)
    if operation.caller is Caller.SITE:
        return relay.jira(site, method, url, body)
    if operation.caller is Caller.PAGE:
        headers = {"authorization": f"JWT {context_token(site)}"} | JSON
        return relay.call(method, url, body, headers)
    if operation.caller is Caller.FORGE:
        return call_of_forge(relay, method, url, body)
    return relay.call(method, url, body, JSON)


def call_of_forge(relay: Relay, method: str, url: str, body: Any = None) -> Answer:
    path = url.partition("?")[0]
    user = {"principal": ADMIN} if path.startswith("/page/") else {}
    token = signed(forge_key(), payload({"app.module": module_of(path), **user}))
    headers = JSON | {"authorization": f"Bearer {token}"}
    return relay.call(method, url, body, headers)


def install_forge(relay: Relay, client_key: str | None = None) -> Tenant:
    """Install under Forge; with the clientKey that Jira named, it joins this Connect site."""
    installation = ForgeInstallation(
        INSTALLATION_ID, CLOUD_ID, API_BASE_URL, "a-system-token", client_key
    )
    return relay.tenants.install_forge(installation, LifecycleToken(int(time.time()), "a token"))


def url_of(operation: Operation, example: Example, site_id: str = SITE_ID) -> str:
    path = operation.route.path
    for name, value in example.path.items():
        path = path.replace(f"{{{name}}}", quote(value.replace(SITE_ID, site_id), safe=""))
    assert "{" not in path, "an example lacks a parameter of its path"
    return f"{path}?{urlencode(example.query)}" if example.query else path


def response_of(operation: Operation, status: int) -> dict[str, Any]:
    path = DOCUMENT["paths"][operation.route.path][operation.route.method.lower()]
    response: dict[str, Any] = path["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


def operation_of(operation_id: str) -> Operation:
    return next(one for one in OPERATIONS.values() if one.id == operation_id)


def check(operation: Operation, answer: Answer) -> None:
    """Check that the response is documented: status, headers, content, shape, error code."""
    response = response_of(operation, answer.status)
    for name in response.get("headers", {}):
        assert name.lower() in {header.lower() for header in answer.headers}
    content = response.get("content", {})
    if not content:
        assert answer.body == ""
        return
    (media, described), given = next(iter(content.items())), answer.headers["Content-Type"]
    assert given.partition(";")[0] == media
    if media == "application/json":
        problems = list(problems_of(described["schema"], answer.json()))
        assert not problems, problems
        if answer.status >= 400:
            codes = {one["value"]["error"]["code"] for one in described["examples"].values()}
            assert answer.error_code in codes


def problems_of(schema: dict[str, Any], value: Any) -> Iterator[str]:
    anchored = json.loads(json.dumps(schema).replace('"#/', '"urn:relay#/'))
    validator = Draft202012Validator(anchored, registry=REGISTRY, format_checker=FormatChecker())
    for error in validator.iter_errors(value):
        yield f"{error.json_path}: {error.message}"


def shape(value: Any) -> Any:
    """The fields, recursively; for a list, each distinct shape of its members once."""
    if isinstance(value, dict):
        return {name: one if name in TOLD else shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(one), sort_keys=True) for one in value})
    return None


def check_example(operation: Operation, example: Example, answer: Answer) -> None:
    assert answer.status == example.status, answer.body
    check(operation, answer)
    if example.answer is not None:
        assert shape(answer.json()) == shape(example.answer)


# --- Examples with a precondition ---

Ask = Callable[[], Answer]
RATE_LIMIT = {"kind": "rate limit", "retryAfter": "600"}


def refused(fault: dict[str, Any]) -> Callable[[Relay, JiraSite, Ask], Answer]:
    """Let the site answer the incident's newer state with this fault."""

    def ask_afterwards(relay: Relay, site: JiraSite, ask: Ask) -> Answer:
        site.simulator.fail(site.name, fault)
        newer = INCIDENT | {"updateSequenceNumber": 2}
        assert not relay.submit(WORKSPACE, incidents=[newer], properties={"region": "eu"})
        return ask()

    return ask_afterwards


def superseded(relay: Relay, site: JiraSite, ask: Ask) -> Answer:
    relay.install(Site("of-the-imported-site", site.site.base_url, "another-secret" * 3))
    relay.tenants.uninstall(site.site.client_key, LifecycleToken(int(time.time()), "gone"))
    return ask()


def receipt_of(*changes: dict[str, Any]) -> Callable[[Relay, JiraSite, Ask], Answer]:
    """Submit the incident with these changes, and return the receipt."""

    def receipt(relay: Relay, _: JiraSite, __: Ask) -> Answer:
        path = f"/v1/workspaces/{WORKSPACE}/submissions"
        states = {"incidents": [INCIDENT | change for change in changes]}
        submitted = relay.provider("POST", path, states).json()
        assert not relay.run_queue()
        return relay.provider("GET", f"{path}/{submitted['submissionId']}")

    return receipt


def under_both(relay: Relay, site: JiraSite, ask: Ask) -> Answer:
    assert install_forge(relay, site.site.client_key).id == site.id
    return ask()


def turned(relay: Relay, site: JiraSite, ask: Ask) -> Answer:
    choices = IdentityChoiceStore(relay.aws.dynamodb, relay.aws.environment["TENANTS_TABLE"])
    now = int(time.time() * 1000)
    choices.save(site.id, IdentityChoice(Identity.FORGE, "Jira answered 401", now))
    return under_both(relay, site, ask)


def under_forge(relay: Relay, _: JiraSite, __: Ask) -> Answer:
    """Call for another site, because this one is under Connect."""
    return relay.provider("GET", f"/v1/sites/{install_forge(relay).id}")


def replay_runs(relay: Relay, _: JiraSite, ask: Ask) -> Answer:
    """Request it whenever the replayer is about to save its progress."""
    answers: list[Answer] = []
    with aws_calls() as calls:
        # It leases the replay, saves it after each of three stages, and ends it.
        calls.race("UpdateItem", *[lambda: answers.append(ask())] * 5)
        relay.run_replays()
    assert len(answers) == 5
    return answers[-1]


def replay_waits(relay: Relay, site: JiraSite, ask: Ask) -> Answer:
    """Let the replay wait for the site, which accepts none of its entities now."""
    asked = relay.provider("POST", f"/v1/sites/{site.id}/replay", {"what": "all"})
    assert asked.status == 202
    site.simulator.fail(site.name, RATE_LIMIT | {"operations": ["submitEntity"]})
    relay.run_replays()
    return ask()


def erased(relay: Relay, _: JiraSite, ask: Ask) -> Answer:
    assert relay.provider("DELETE", f"/v1/workspaces/{WORKSPACE}?erase=true").status == 202
    return ask()


def forgotten(relay: Relay, site: JiraSite, ask: Ask) -> Answer:
    relay.tenants.uninstall(site.site.client_key, LifecycleToken(int(time.time()), "gone"))
    answer = relay.provider("DELETE", f"/v1/sites/{site.id}")
    assert answer.status == 202, answer.body
    return ask()


def with_a_deletion(relay: Relay, _: JiraSite, ask: Ask) -> Answer:
    [example] = operation_of("addDeletions").examples
    path = f"/v1/workspaces/{WORKSPACE}/deletions"
    assert relay.provider("POST", path, example.body).status == 202
    return ask()


def replay_is_done(relay: Relay, _: JiraSite, ask: Ask) -> Answer:
    relay.run_replays()
    return ask()


def tried(relay: Relay, url: str, ask: Ask) -> Answer:
    """After a test notice to the workspace's webhook at this URL."""
    path = f"/v1/workspaces/{WORKSPACE}/webhook"
    secret = "whsec_bm90IGEgc2VjcmV0LCBqdXN0IGFuIGV4YW1wbGU="
    assert relay.provider("PUT", path, {"url": url, "secret": secret}).status == 200
    assert relay.provider("POST", f"{path}/test").status == 200
    return ask()


def webhook_takes(relay: Relay, _: JiraSite, ask: Ask) -> Answer:
    with https_hook(None) as hook:
        return tried(relay, hook.url, ask)


def webhook_refuses(relay: Relay, _: JiraSite, ask: Ask) -> Answer:
    return tried(relay, "http://127.0.0.1:1/nobody-is-there", ask)


# By an operation's id and an example's name.
SCENES: Mapping[tuple[str, str], Callable[[Relay, JiraSite, Ask], Answer]] = {
    ("getIncident", "owed"): refused(RATE_LIMIT),
    ("getSubmission", "all recorded"): receipt_of({"id": "inc-7"}),
    ("getSubmission", "a lost update"): receipt_of({"id": "inc-7"}, {"summary": "It is back"}),
    ("getSite", "rate limited"): refused(RATE_LIMIT),
    ("getSite", "no answer"): refused({"kind": "drop before"}),
    ("getSite", "secret refused"): refused({"kind": "revoked secret"}),
    ("getSite", "superseded"): superseded,
    ("getSite", "under Connect and Forge"): under_both,
    ("getSite", "other identity"): turned,
    ("getSite", "under Forge alone"): under_forge,
    ("getWebhook", "delivered"): webhook_takes,
    ("getWebhook", "not delivered"): webhook_refuses,
    ("testWebhook", "delivered"): webhook_takes,
    ("testWebhook", "not delivered"): webhook_refuses,
    ("exportEntities", "all"): with_a_deletion,
    ("getErasure", "begun"): erased,
    ("forgetSite", "uninstalled"): forgotten,
    ("getSiteErasure", "begun"): forgotten,
    ("listReplays", "running"): replay_runs,
    ("listReplays", "waiting for the site"): replay_waits,
    ("listReplays", "done"): replay_is_done,
}


@pytest.mark.parametrize(("operation_id", "name"), SCENES)
def test_an_example_with_a_precondition_is_answered_as_documented(
    relay: Relay, site: JiraSite, operation_id: str, name: str
) -> None:
    operation = operation_of(operation_id)
    [example] = [one for one in operation.examples if one.name == name]
    url = url_of(operation, example, site.id)
    answer = SCENES[operation_id, name](
        relay, site, lambda: make(relay, site.site, operation, url, example.body)
    )
    check_example(operation, example, answer)


def test_every_other_example_is_answered_as_documented(
    relay: Relay, site: JiraSite, other_site: JiraSite, subtests: pytest.Subtests
) -> None:
    for operation in IN_ORDER:
        by_others = operation.caller not in (Caller.JIRA, Caller.FORGE)
        for example in operation.examples if by_others else ():
            if (operation.id, example.name) in SCENES:
                continue
            with subtests.test(operation=operation.id, example=example.name):
                url = url_of(operation, example, site.id)
                body = example.body
                if operation.id == "moveLinks":
                    assert body == {"to": OTHER_SITE_ID}
                    body = {"to": other_site.id}
                answer = make(relay, site.site, operation, url, body)
                check_example(operation, example, answer)


def test_every_lifecycle_example_is_answered_as_documented(
    function: Callable[..., ModuleType], subtests: pytest.Subtests
) -> None:
    with jira_with_its_key_server(function) as jira:
        for operation in IN_ORDER:
            for example in operation.examples if operation.caller is Caller.JIRA else ():
                with subtests.test(operation=operation.id, example=example.name):
                    path = operation.route.path
                    payload = claims(example.body["clientKey"], "POST", path, aud=jira.app_url)
                    token = signed_install(install_key(), payload)
                    answer = jira.post(path, token, example.body)
                    assert answer.status == example.status
                    check(operation, answer)


def test_every_forge_example_is_answered_as_documented(
    relay: Relay, subtests: pytest.Subtests
) -> None:
    for operation in FORGES:
        for example in operation.examples:
            with subtests.test(operation=operation.id, example=example.name):
                url = url_of(operation, example)
                check_example(operation, example, make(relay, Site(), operation, url, example.body))


def test_a_sites_calls_as_forge_are_answered_alike(
    relay: Relay, site: JiraSite, subtests: pytest.Subtests
) -> None:
    either = [operation for operation in IN_ORDER if len(operation.callers) > 1]
    assert {operation.tag for operation in either} == {"Jira's actions", "Page"}
    install_forge(relay, site.site.client_key)
    for operation in either:
        for example in operation.examples:
            with subtests.test(operation=operation.id, example=example.name):
                url = url_of(operation, example, site.id)
                answer = call_of_forge(relay, operation.route.method, url, example.body)
                check_example(operation, example, answer)


def test_forges_token_opens_only_the_documented_routes(
    relay: Relay, site: JiraSite, subtests: pytest.Subtests
) -> None:
    install_forge(relay, site.site.client_key)
    for operation in IN_ORDER:
        if Caller.FORGE in operation.callers or not operation.callers:
            continue
        with subtests.test(operation=operation.id):
            example = operation.examples[0]
            url = url_of(operation, example, site.id)
            answer = call_of_forge(relay, operation.route.method, url, example.body)
            assert answer.status == 401
            check(operation, answer)


def test_a_migration_is_refused_as_documented(
    function: Callable[..., ModuleType],
    aws: Aws,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
    forge_keys_url: str,
    subtests: pytest.Subtests,
) -> None:
    urls = {"FORGE_KEYS_URL": forge_keys_url}
    with relay_with(
        function, aws, api_key, monkeypatch, None, FORGE_REGIONS="EU,DE", **urls
    ) as relay:
        install_forge(relay)
        elsewhere = {"migrationId": 1024, "location": "US"}
        bodies = {"scheduleMigration": elsewhere, "getMigrationStatus": None}
        for operation in FORGES:
            if "/migrations/" not in operation.route.path:
                continue
            with subtests.test(operation=operation.id):
                example = operation.examples[0]
                url, body = url_of(operation, example), bodies.get(operation.id, example.body)
                answer = make(relay, Site(), operation, url, body)
                assert answer.status == 409
                check(operation, answer)
                codes = (answer.error_code, answer.json()["errorResponseCode"])
                scheduling = operation.id == "scheduleMigration"
                unscheduled = ("unknown_migration", "E0001")
                assert codes == (("other_region", "E0002") if scheduling else unscheduled)


@EACH_OPERATION
def test_every_example_conforms_to_its_schema(operation: Operation) -> None:
    written = DOCUMENT["paths"][operation.route.path][operation.route.method.lower()]
    contents = [written.get("requestBody", {}).get("content", {})]
    contents += [
        response_of(operation, int(status)).get("content", {}) for status in written["responses"]
    ]
    shown = [
        (described["schema"], name, example["value"])
        for content in contents
        for described in content.values()
        for name, example in described.get("examples", {}).items()
    ]
    shown += [
        (parameter["schema"], name, example["value"])
        for parameter in written.get("parameters", [])
        for name, example in parameter.get("examples", {}).items()
    ]
    # One example shows the verdict on an entity that breaks a rule.
    problems = {
        name: list(problems_of(schema, value)) for schema, name, value in shown if name != "one bad"
    }
    assert not any(problems.values()), problems


@EACH_OPERATION
def test_every_successful_answer_has_an_example(operation: Operation) -> None:
    shown = {example.status for example in operation.examples}
    # The page without a template is another deployment's response.
    missing = {answer.status for answer in operation.answers} - shown
    assert missing == ({404} if operation.id == "followReviewLink" else set())


def test_every_route_refuses_as_documented(
    relay: Relay, site: JiraSite, subtests: pytest.Subtests
) -> None:
    """Without a token and with one: unknown ids, and nonsense in the body and the query."""
    install_forge(relay)
    for operation in IN_ORDER:
        with subtests.test(operation=operation.id):
            example = operation.examples[0]
            known = url_of(operation, example, site.id)
            without_token = relay.call(operation.route.method, known, example.body, JSON)
            if operation.caller is not Caller.ANYONE:
                assert without_token.status == 401
            check(operation, without_token)
            for url, body in bad_calls(operation, known.partition("?")[0]):
                check(operation, make(relay, site.site, operation, url, body))


def test_a_route_accepts_the_documented_parameters(relay: Relay, subtests: pytest.Subtests) -> None:
    routes = {
        key.replace("+}", "}"): route
        for name in SERVED
        for served in vars(relay.gateway.functions[name]).values()
        if isinstance(served, HttpFunction)
        for key, route in served.routes.items()
    }
    for operation in OPERATIONS.values():
        if operation.caller in (Caller.PROVIDER, Caller.PAGE):
            with subtests.test(operation=operation.id):
                query = [one for one in operation.parameters if one.where == "query"]
                any_name = any(parameter.explode for parameter in query)
                expected = None if any_name else {parameter.name for parameter in query}
                taken = routes[" ".join(operation.route)].query
                assert (None if taken is None else set(taken)) == expected


def bad_calls(operation: Operation, path: str) -> Iterator[tuple[str, Any]]:
    example = operation.examples[0]
    if example.path:
        unknown = Example("", 0, dict.fromkeys(example.path, "0" * 32))
        yield url_of(operation, unknown), example.body
    if operation.body:
        yield path, b"{"
        yield path, {"nonsense": True}
    query = [parameter.name for parameter in operation.parameters if parameter.where == "query"]
    if query:
        wrong = urlencode(dict.fromkeys(query, "\0"))
        yield f"{path}?{wrong}", example.body
    yield f"{path}?:unknown=x", example.body


FAULTS: Mapping[str, dict[str, Any]] = {
    "rate_limited": {"kind": "rate limit"},
    "site_down": {"kind": "error", "status": 500},
    "unreachable": {"kind": "drop before"},
    "unreadable": {"kind": "unreadable"},
    "credential_refused": {"kind": "revoked secret"},
    "access_refused": {"kind": "forbidden"},
    "nothing_there": {"kind": "error", "status": 404},
    "moved": {"kind": "redirect"},
    "unexpected": {"kind": "error", "status": 418},
}


def test_every_trouble_is_shown_as_documented(
    relay: Relay, simulator: Simulator, subtests: pytest.Subtests
) -> None:
    # A site counts as suspended, or as not Jira's, after an hour.
    assert FAULTS.keys() == TROUBLES.keys() - {"suspended", "not_jira"}
    for code, fault in FAULTS.items():
        with subtests.test(code):
            site = install_from(relay, simulator, f"site-{next(_numbers)}")
            relay.put_workspace(code)
            relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{code}")
            simulator.fail(site.name, fault)
            assert not relay.submit(code, incidents=[INCIDENT])

            shown = relay.provider("GET", f"/v1/sites/{site.id}")
            check(operation_of("getSite"), shown)
            trouble = shown.json()["trouble"]
            assert trouble["code"] == code
            listed = relay.provider("GET", f"/v1/workspaces/{code}/entities?state=owed")
            check(operation_of("listEntities"), listed)
            [at_site] = listed.json()["entities"][0]["sites"]
            assert (at_site["state"], at_site["reason"]) == ("owed", trouble["message"])
            assert "owedSince" in at_site
    every = relay.provider("GET", "/v1/sites")
    check(operation_of("listSites"), every)
    states = {one["state"] for one in every.json()["sites"]}
    assert states == {"slowed", "needs attention"}


def test_an_impossible_replay_or_move_is_refused_as_documented(
    relay: Relay, site: JiraSite, other_site: JiraSite, simulator: Simulator
) -> None:
    def refusal(what: str, body: Any) -> tuple[int, str]:
        answer = relay.provider("POST", f"/v1/sites/{site.id}/{what}", body)
        check(OPERATIONS[Route("POST", f"/v1/sites/{{site}}/{what}")], answer)
        return answer.status, answer.error_code

    since = {"since": "2026-01-31T09:30:00Z"}
    assert refusal("replay", {"workspaceId": "unlinked"}) == (404, "unknown_link")
    assert refusal("replay", since | {"what": "all"}) == (400, "bad_request")
    assert refusal("replay", {"since": "yesterday"}) == (400, "bad_request")
    assert refusal("move", {"to": site.id}) == (409, "same_site")
    assert refusal("move", {"to": OTHER_SITE_ID}) == (404, "unknown_site")

    simulator.fail(other_site.name, {"kind": "forbidden"})
    assert refusal("move", {"to": other_site.id}) == (502, "jira_refused")
    simulator.fail(other_site.name, {"kind": "rate limit"})
    assert refusal("move", {"to": other_site.id}) == (503, "jira_unavailable")

    for name in (other_site.name, site.name):
        simulator.control("POST", f"/sites/{name}/uninstall").raise_for_status()
    assert refusal("move", {"to": other_site.id}) == (409, "uninstalled")
    assert refusal("replay", {}) == (409, "uninstalled")
    gone = relay.provider("GET", f"/v1/sites/{site.id}")
    check(operation_of("getSite"), gone)
    assert gone.json()["state"] == "uninstalled"


def test_without_a_template_the_page_says_what_to_configure(
    function: Callable[..., ModuleType], aws: Aws, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with relay_with(function, aws, api_key, monkeypatch) as relay:
        answer = relay.call("GET", "/post-incident-reviews/new?incident=inc-1")
    assert answer.status == 404
    check(operation_of("followReviewLink"), answer)
