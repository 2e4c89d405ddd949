"""The OpenAPI document against the functions: what it shows is what they answer."""

import itertools
import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from infra.openapi.document import OPERATIONS, document
from infra.openapi.operation import Caller, Example, Operation
from infra.openapi.parameters import SITE_ID
from infra.openapi.submissions import INCIDENT, REVIEW
from tests.integration.conftest import Aws
from tests.integration.relay_stage import JSON, JiraSite, Relay, install_from, relay_with
from tests.integration.simulator_stage import Simulator, running_simulator
from tests.support.botocore_models import models_read_once  # noqa: F401 (a fixture)
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
SERVED = [name for name in functions() if name != "webhooks"]
# What reads before what writes, and what deletes last: all run in one world.
IN_ORDER = sorted(
    OPERATIONS.values(),
    key=lambda operation: ["GET", "POST", "PUT", "DELETE"].index(operation.route.method),
)
EACH_OPERATION = pytest.mark.parametrize(
    "operation", [pytest.param(operation, id=operation.id) for operation in OPERATIONS.values()]
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("jira")
    with running_simulator(folder, "--visible-after-seconds", "0") as running:
        yield running


@pytest.fixture
def relay(
    function: Callable[..., ModuleType],
    aws: Aws,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
    simulator: Simulator,
) -> Iterator[Relay]:
    template = "https://ops.example.com/reviews/new?incident={incident-id}"
    with relay_with(
        function, aws, api_key, monkeypatch, SERVED, simulator, REVIEW_URL_TEMPLATE=template
    ) as relay:
        yield relay


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    """With all that the examples speak of."""
    site = install_from(relay, simulator, f"site-{next(_numbers)}")
    relay.put_workspace(WORKSPACE, "Payments")
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
    prepared = [
        relay.provider("POST", f"{path}/containers", {"containers": [container]}),
        relay.provider("PUT", f"{path}/webhook", webhook),
        relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{WORKSPACE}"),
    ]
    assert [answer.status for answer in prepared] == [200, 200, 200]
    properties = {"region": "eu"}
    assert not relay.submit(
        WORKSPACE, incidents=[INCIDENT], reviews=[REVIEW], properties=properties
    )
    relay.key_for(WORKSPACE)
    return site


def make(relay: Relay, site: Site, operation: Operation, url: str, body: Any = None) -> Answer:
    """The call, by whom it is for."""
    method = operation.route.method
    if operation.caller is Caller.PROVIDER:
        return relay.provider(method, url, body)
    if operation.caller is Caller.SITE:
        return relay.jira(site, method, url, body)
    return relay.call(method, url, body, JSON)


def url_of(operation: Operation, example: Example, site_id: str = SITE_ID) -> str:
    path = operation.route.path
    for name, value in example.path.items():
        path = path.replace(f"{{{name}}}", quote(site_id if value == SITE_ID else value, safe=""))
    assert "{" not in path, "an example lacks a parameter of its path"
    return f"{path}?{urlencode(example.query)}" if example.query else path


def response_of(operation: Operation, status: int) -> dict[str, Any]:
    path = DOCUMENT["paths"][operation.route.path][operation.route.method.lower()]
    response: dict[str, Any] = path["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


def check(operation: Operation, answer: Answer) -> None:
    """The answer is one that the document knows: status, headers, content, shape, error code."""
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
    """Which fields there are, all the way down; of a list's members each kind once."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(one), sort_keys=True) for one in value})
    return None


def test_every_example_is_answered_as_the_document_says(
    relay: Relay, site: JiraSite, subtests: pytest.Subtests
) -> None:
    for operation in IN_ORDER:
        for example in operation.examples if operation.caller is not Caller.JIRA else ():
            with subtests.test(operation=operation.id, example=example.name):
                url = url_of(operation, example, site.id)
                answer = make(relay, site.site, operation, url, example.body)
                assert answer.status == example.status, answer.body
                check(operation, answer)
                if example.answer is not None:
                    assert shape(answer.json()) == shape(example.answer)


def test_every_lifecycle_example_is_answered_as_the_document_says(
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


@EACH_OPERATION
def test_every_example_keeps_the_schemas(operation: Operation) -> None:
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
    # One example shows what becomes of an entity that breaks a rule.
    problems = {
        name: list(problems_of(schema, value)) for schema, name, value in shown if name != "one bad"
    }
    assert not any(problems.values()), problems


@EACH_OPERATION
def test_every_successful_answer_has_an_example(operation: Operation) -> None:
    shown = {example.status for example in operation.examples}
    # The page without a deployment's template is another deployment's answer.
    missing = {answer.status for answer in operation.answers} - shown
    assert missing == ({200} if operation.id == "followReviewLink" else set())


def test_every_route_refuses_as_the_document_says(
    relay: Relay, site: JiraSite, subtests: pytest.Subtests
) -> None:
    """Without a token, and with one: ids of nothing, nonsense in the body and in the query."""
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


def bad_calls(operation: Operation, path: str) -> Iterator[tuple[str, Any]]:
    example = operation.examples[0]
    if example.path:
        unknown = Example("", 0, dict.fromkeys(example.path, "0" * 32))
        yield url_of(operation, unknown), example.body
    if operation.body:
        yield path, b"{"
        yield path, {"nonsense": True}
    if any(parameter.where == "query" for parameter in operation.parameters):
        yield f"{path}?limit=x&state=x&confirm=x&dryRun=x&after=%00&:=x", example.body


def test_a_page_says_what_to_configure_where_there_is_no_template(
    function: Callable[..., ModuleType], aws: Aws, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = ["create_post_incident_review"]
    with relay_with(function, aws, api_key, monkeypatch, served) as relay:
        answer = relay.call("GET", "/post-incident-reviews/new?incident=inc-1")
    assert answer.status == 200
    operation = next(one for one in OPERATIONS.values() if one.id == "followReviewLink")
    check(operation, answer)
