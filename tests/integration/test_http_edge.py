"""What every HTTP function does: its base URL, its routes, its errors, its headers, its log."""

import base64
import io
import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import ANY
from urllib.parse import quote

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.http import HttpFunction
from relay.edge.request import json_body
from relay.errors import (
    BadRequest,
    Conflict,
    Detail,
    Forbidden,
    NotFound,
    RelayError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from relay.jira.errors import JiraUnreachable, SiteDown, SiteMoved, Unreadable
from relay.telemetry import logger
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import Installation
from tests.support.aws_calls import client_error, unreachable
from tests.support.lambdas import Answer as Result
from tests.support.lambdas import Context, http_event
from tests.support.tokens import claims, signed_callback

GATEWAY = "https://abcdef12.execute-api.eu-west-1.amazonaws.com"
SECURITY_HEADERS = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "cache-control": "no-cache, no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def serving(base_url: str = "") -> HttpFunction:
    """A function that returns the request it received, or raises a given error."""
    function = HttpFunction(base_url)

    @function.get("/seen")
    @function.get("/seen/{first}")
    @function.get("/seen/{first}/of/{theRest+}")
    @function.post("/seen")
    def echo(**ids: str) -> Answer:
        request = function.request
        seen = {
            "method": request.method,
            "path": request.raw_path,
            "query": request.raw_query,
            "baseUrl": request.base_url,
            "headers": dict(request.headers),
            "body": base64.b64encode(request.body).decode(),
            "ids": ids,
        }
        return json_answer(200, seen)

    @function.get("/nothing")
    def nothing() -> Answer:
        return no_content()

    @function.post("/json")
    def read() -> Answer:
        return json_answer(200, json.loads(json_body(function.request, 100)))

    return function


def raising(error: Exception) -> HttpFunction:
    function = HttpFunction("")

    @function.get("/raise")
    def fail() -> Answer:
        raise error

    return function


def event_for(function: HttpFunction, method: str, url: str, **more: Any) -> dict[str, Any]:
    """API Gateway's event, as if the function's routes were the only ones."""
    return http_event(method, url, route_keys=function.routes, **more)


def call(function: HttpFunction, method: str, url: str, **more: Any) -> Result:
    return send(function, event_for(function, method, url, **more))


def send(function: HttpFunction, event: dict[str, Any]) -> Result:
    context: Any = Context()
    answer = function(event, context)
    return Result(answer["statusCode"], answer["headers"], answer["body"])


def asked(method: str, url: str, **more: Any) -> Any:
    """The request as the function received it."""
    answer = call(serving(), method, url, **more)
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


# --- The base URL ---


def test_the_base_url_is_the_configured_one() -> None:
    answer = call(serving("https://relay.example.com/app"), "GET", "/seen")

    assert answer.json()["baseUrl"] == "https://relay.example.com/app"


def test_the_default_base_url_is_api_gateways() -> None:
    assert asked("GET", "/seen")["baseUrl"] == GATEWAY


def test_a_named_stage_is_part_of_the_base_url_and_not_of_the_path() -> None:
    seen = asked("GET", "/seen", stage="prod")

    assert seen["baseUrl"] == f"{GATEWAY}/prod"
    assert seen["path"] == "/seen"


def test_a_stage_is_removed_once() -> None:
    seen = asked("GET", "/seen", stage="seen")

    assert seen["path"] == "/seen"


@pytest.mark.parametrize("stage", ["$default", "prod"])
def test_the_descriptor_has_the_apps_real_url(
    function: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setenv("BASE_URL", "")
    descriptor = function("descriptor").handler

    document = call(descriptor, "GET", "/atlassian-connect.json", stage=stage).json()

    assert document["baseUrl"] == GATEWAY + ("" if stage == "$default" else f"/{stage}")


def providers(descriptor: dict[str, Any]) -> list[dict[str, Any]]:
    """The modules that name pages of the operations tool."""
    names = ("jiraOperationsInfoProvider", "jiraDevOpsComponentProvider")
    return [descriptor["modules"][name] for name in names]


def test_the_descriptors_pages_are_the_deployments_own_or_existing_pages(
    function: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "https://relay.example.com/prod")
    descriptor = function("descriptor", COMPONENTS_MODULE="on").handler
    document = call(descriptor, "GET", "/atlassian-connect.json", base_path="/prod").json()
    modules = providers(document)
    urls = {module[name] for module in modules for name in ("homeUrl", "documentationUrl")}
    assert urls | {document["vendor"]["url"]} == {"https://relay.example.com/prod/about"}
    page = call(descriptor, "GET", "/about", base_path="/prod")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<h1>Relay for Operations</h1>" in page.body
    assert not {"<script", "<style", "style=", "http:"} & set(page.body.split())

    own = function(
        "descriptor",
        COMPONENTS_MODULE="on",
        HOME_URL="https://ops.example.com",
        DOCUMENTATION_URL="https://ops.example.com/jira",
        VENDOR_URL="https://example.com",
    ).handler
    document = call(own, "GET", "/atlassian-connect.json", base_path="/prod").json()
    assert document["vendor"]["url"] == "https://example.com"
    for module in providers(document):
        assert module["homeUrl"] == "https://ops.example.com"
        assert module["documentationUrl"] == "https://ops.example.com/jira"


def test_jira_signs_the_path_without_the_stage(
    function: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "")
    module = function("lifecycle")
    secret = "ATCO-a-secret-that-only-jira-and-relay-share"
    installation = Installation("client", "https://acme.atlassian.net", secret)
    module.tenants.install(installation, LifecycleToken(1, "digest"))
    token = signed_callback(secret, claims("client", "POST", "/lifecycle/enabled"))

    headers = {"authorization": f"JWT {token}"}
    answer = call(
        module.handler, "POST", "/lifecycle/enabled", body="{}", headers=headers, stage="prod"
    )

    assert answer.status == 204


# --- The request ---


def test_a_request_is_parsed_as_it_was_on_the_wire() -> None:
    seen = asked(
        "GET", "/seen?b=%2F&a=1+2&a", headers={"X-Some-Header": "Value", "AUTHORIZATION": "x"}
    )

    assert (seen["method"], seen["path"], seen["query"]) == ("GET", "/seen", "b=%2F&a=1+2&a")
    assert seen["headers"] == {"x-some-header": "Value", "authorization": "x"}
    assert seen["body"] == ""


@pytest.mark.parametrize("body", [b"", b"\x00\xff", "é🔥".encode()])
def test_a_body_is_passed_through_unchanged(body: bytes) -> None:
    assert base64.b64decode(asked("POST", "/seen", body=body)["body"]) == body


def test_a_body_may_be_text() -> None:
    assert base64.b64decode(asked("POST", "/seen", body="é🔥")["body"]) == "é🔥".encode()


def test_an_invalid_base64_body_is_refused() -> None:
    function = serving()
    event = event_for(function, "POST", "/seen", body=b"x")
    event["body"] = "x"

    answer = send(function, event)

    assert (answer.status, answer.error_code) == (400, "bad_request")


def test_json_is_parsed_only_with_its_content_type() -> None:
    def post(content_type: str) -> Result:
        headers = {"content-type": content_type}
        return call(serving(), "POST", "/json", body=b"[1]", headers=headers)

    assert post("application/json").json() == [1]
    assert post("text/plain").status == 415


# --- Routes ---


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("GET", "/seen/"),
        ("GET", "/seenx"),
        ("GET", "/nothing/more"),
        ("PUT", "/seen"),
        ("DELETE", "/seen"),
        ("PATCH", "/seen"),
        ("OPTIONS", "/seen"),
        ("POST", "/nothing"),
    ],
)
def test_an_unknown_method_or_path_is_not_found(method: str, path: str) -> None:
    answer = call(serving(), method, path)

    assert (answer.status, answer.error_code) == (404, "not_found")
    assert answer.json()["error"]["details"] == []


def test_a_dot_in_a_route_matches_only_a_dot(function: Callable[..., ModuleType]) -> None:
    descriptor = function("descriptor").handler

    assert call(descriptor, "GET", "/atlassian-connect.json").status == 200
    assert call(descriptor, "GET", "/atlassian-connectXjson").status == 404
    assert call(descriptor, "GET", "/atlassian-connect.json\n").status == 404


@pytest.mark.parametrize(
    "value",
    [
        "a",
        "a.b~c-d_e",
        "a b",
        "é🔥",
        "a|b",
        "{}",
        "a:b@c",
        "<x>",
        "%",
        "%25",
        "%2F",
        "?",
        "#",
        "a?b#c",
    ],
)
def test_an_id_may_hold_any_character_except_a_leading_slash(value: str) -> None:
    quoted = quote(value, safe="")

    seen = asked("GET", f"/seen/{quoted}/of/{quoted}/{quoted}")

    assert seen["ids"] == {"first": value, "the_rest": f"{value}/{value}"}


@pytest.mark.parametrize(
    ("raw_path", "first"),
    [
        ("/seen/a", "a?b"),
        ("/seen/a", "a/b"),
        ("/seen/a/b", "a"),
        ("/seen/a?b", "a"),
        ("/seen/a#b", "a"),
        ("/seen/A", "%2541"),
        ("/seen/b", "a"),
        ("/seen/", "a"),
        ("/seen", "a"),
        ("/other/seen/a", "a"),
    ],
)
def test_a_path_that_differs_from_the_matched_one_is_refused(raw_path: str, first: str) -> None:
    event = http_event("GET", "/seen/x", route_keys=["GET /seen/{first}"])

    answer = send(serving(), event | {"rawPath": raw_path, "pathParameters": {"first": first}})

    assert (answer.status, answer.error_code) == (400, "bad_request")
    assert [detail["rule"] for detail in answer.json()["error"]["details"]] == ["path"]


@pytest.mark.parametrize("value", ["a%b", "a%2Fb", "\ufffd"])
def test_an_ambiguously_decoded_path_is_refused(value: str) -> None:
    event = http_event("GET", "/seen/x", route_keys=["GET /seen/{first}"])
    event |= {"rawPath": f"/seen/{value}", "pathParameters": {"first": value}}

    assert send(serving(), event).status == 400


def test_a_percent_sign_may_be_decoded_at_any_place() -> None:
    event = http_event("GET", "/seen/x", route_keys=["GET /seen/{first}"])
    event |= {"rawPath": "/seen/100%25", "pathParameters": {"first": "100%"}}

    assert send(serving(), event).json()["ids"] == {"first": "100%"}


@pytest.mark.parametrize(
    ("base_url", "stage", "path"),
    [
        ("", "prod", "/prod/seen/a"),
        ("", "seen", "/seen/seen/a"),
        ("https://relay.example.com/app", "$default", "/app/seen/a"),
        ("https://relay.example.com/app", "prod", "/seen/a"),
        ("https://relay.example.com", "seen", "/seen/a"),
    ],
)
def test_the_matched_path_may_include_the_base_path_or_stage(
    base_url: str, stage: str, path: str
) -> None:
    event = http_event("GET", "/seen/a", route_keys=["GET /seen/{first}"])
    event["requestContext"]["stage"] = stage

    answer = send(serving(base_url), event | {"rawPath": path})

    assert (answer.json()["path"], answer.json()["ids"]) == ("/seen/a", {"first": "a"})


@pytest.mark.parametrize("value", ["a", "a/b", "a?b", "100%", "%2F", "é🔥", "a+b"])
def test_a_caller_may_declare_the_path_it_sent(value: str) -> None:
    path = f"/seen/x/of/{quote(value, safe='')}"

    seen = asked("GET", path, headers={"X-Relay-Path": path}, stage="prod")

    assert seen["ids"]["the_rest"] == value


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [("a%3Fb", "a"), ("a%252Fb", "a/b"), ("%2541", "A"), ("a%2525", "a%"), ("", "a"), ("b", "a")],
)
def test_a_path_changed_in_transit_is_refused(sent: str, arrived: str) -> None:
    """As API Gateway changes it: cut off at a question mark, or decoded twice."""
    headers = {"x-relay-path": f"/seen/x/of/{sent}"}

    answer = call(serving(), "GET", f"/seen/x/of/{quote(arrived, safe='')}", headers=headers)

    assert (answer.status, answer.error_code) == (400, "bad_request")
    assert answer.json()["error"]["details"][0]["path"] == "x-relay-path"


# --- HEAD ---


@pytest.mark.parametrize("path", ["/nowhere", "/json"])
def test_head_is_not_answered_where_get_is_not(path: str) -> None:
    assert call(serving(), "HEAD", path) == Result(404, ANY, "")


@pytest.mark.parametrize(("path", "status"), [("/seen", 200), ("/nothing", 204)])
def test_head_is_answered_like_get_without_the_body(path: str, status: int) -> None:
    headers = {"x-correlation-id": "deploy-1"}

    get = call(serving(), "GET", path, headers=headers)
    head = call(serving(), "HEAD", path, headers=headers)

    assert head == Result(get.status, get.headers, "")
    assert head.status == status


@pytest.mark.parametrize("error", [NotFound("no"), Unauthenticated("no"), ValueError()])
def test_an_error_response_to_head_has_no_body(error: Exception) -> None:
    answer = call(raising(error), "HEAD", "/raise")

    assert answer.body == ""
    assert answer.status == call(raising(error), "GET", "/raise").status


# --- Errors ---


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadRequest("words", [Detail("a[1].b", "rule", "what to do")]), 400, "bad_request"),
        (UnsupportedMedia("words"), 415, "unsupported_media_type"),
        (TooLarge("words"), 413, "too_large"),
        (Forbidden("words"), 403, "forbidden"),
        (NotFound("words", code="unknown_thing"), 404, "unknown_thing"),
        (Conflict("words"), 409, "conflict"),
        (Unavailable("words"), 503, "unavailable"),
        (RelayError("words"), 500, "internal_error"),
        (JiraUnreachable("words"), 503, "jira_unavailable"),
        (SiteDown(503, ("words",)), 503, "jira_unavailable"),
        (SiteMoved(302, ("words",)), 502, "jira_refused"),
    ],
)
def test_an_error_is_answered_with_its_status_code_message_and_details(
    error: RelayError, status: int, code: str
) -> None:
    answer = call(raising(error), "GET", "/raise")

    assert (answer.status, answer.error_code) == (status, code)
    document = answer.json()["error"]
    assert set(document) - {"jiraStatus"} == {"code", "message", "details"}
    assert "words" in document["message"]
    assert document["details"] == [
        {"path": detail.path, "rule": detail.rule, "message": detail.message}
        for detail in error.details
    ]


@pytest.mark.parametrize(
    ("error", "jira_status"),
    [
        (SiteMoved(302), 302),
        (SiteDown(503), 503),
        (Unreadable(403), None),
        (JiraUnreachable("words"), None),
    ],
)
def test_an_error_has_the_status_that_jira_answered(
    error: RelayError, jira_status: int | None
) -> None:
    document = call(raising(error), "GET", "/raise").json()["error"]

    assert document.get("jiraStatus") == jira_status
    assert ("jiraStatus" in document) == (jira_status is not None)


def test_an_unauthenticated_caller_is_not_told_why(log: io.StringIO) -> None:
    answer = call(raising(Unauthenticated("the secret reason")), "GET", "/raise")

    assert (answer.status, answer.error_code) == (401, "unauthenticated")
    assert "secret reason" not in answer.body
    assert "the secret reason" in log.getvalue()


@pytest.mark.parametrize(
    "error",
    [
        client_error("ProvisionedThroughputExceededException"),
        client_error("AccessDeniedException"),
        unreachable(),
        BotoCoreError(),
    ],
)
def test_an_aws_failure_asks_the_caller_to_retry(
    error: ClientError | BotoCoreError, log: io.StringIO
) -> None:
    answer = call(raising(error), "GET", "/raise")

    assert (answer.status, answer.error_code) == (503, "unavailable")
    assert "from a test" not in answer.body
    assert type(error).__name__ not in answer.body
    assert type(error).__name__ in log.getvalue()


@pytest.mark.parametrize(
    "error", [ValueError("Xq7"), KeyError("Xq7"), RecursionError("Xq7"), AssertionError("Xq7")]
)
def test_an_unexpected_error_reveals_nothing(error: Exception, log: io.StringIO) -> None:
    answer = call(raising(error), "GET", "/raise")

    assert answer.json() == {
        "error": {
            "code": "internal_error",
            "message": "Relay failed unexpectedly.",
            "details": [],
        }
    }
    assert answer.status == 500
    (line,) = (
        json.loads(line) for line in log.getvalue().splitlines() if "Unexpected error" in line
    )
    assert line["level"] == "ERROR"
    assert type(error).__name__ in line["exception"]


# --- Headers ---


def test_every_response_has_security_headers() -> None:
    answers = [
        call(serving(), "GET", "/seen"),
        call(serving(), "GET", "/nothing"),
        call(serving(), "GET", "/nowhere"),
        call(raising(ValueError()), "GET", "/raise"),
        call(raising(Unauthenticated("no")), "GET", "/raise"),
        call(raising(unreachable()), "GET", "/raise"),
    ]

    assert [answer.status for answer in answers] == [200, 204, 404, 500, 401, 503]
    for answer in answers:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert SECURITY_HEADERS.items() <= headers.items()
        assert headers["x-correlation-id"]
        assert not any(name.startswith("access-control-") for name in headers)
        if answer.body:
            assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("given", ["a", "deploy-2026.01_b", "x" * 128])
def test_a_valid_correlation_id_of_the_caller_is_used(given: str) -> None:
    answer = call(serving(), "GET", "/seen", headers={"X-Correlation-Id": given})

    assert answer.headers["x-correlation-id"] == given


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "a\nb", 'a"', "a<b>", "é", "a,b", "x" * 129, "a;b", "../..", "a\x00"]
)
def test_any_other_correlation_id_is_replaced(given: str) -> None:
    function = serving()
    event = event_for(function, "GET", "/seen", headers={"X-Correlation-Id": given})

    answer = send(function, event)

    assert answer.headers["x-correlation-id"] == event["requestContext"]["requestId"]


# --- Log ---


def test_a_call_is_logged_with_its_route_and_without_its_query(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = SimpleNamespace(perf_counter=iter([5.0, 5.25]).__next__)
    monkeypatch.setattr("relay.edge.http.time", times)
    token = "eyJ-a-token"
    headers = {"x-correlation-id": "deploy-1", "authorization": f"JWT {token}"}

    call(serving(), "GET", f"/seen?jwt={token}", headers=headers)

    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["route"], line["status"]) == ("GET /seen", 200)
    assert line["correlation_id"] == "deploy-1"
    assert line["milliseconds"] == 250
    assert token not in log.getvalue()


def test_log_fields_of_one_call_do_not_leak_into_the_next(log: io.StringIO) -> None:
    function = HttpFunction("")

    @function.get("/logs")
    def logs() -> Answer:
        logger.append_keys(workspace_id="of the first")
        return no_content()

    @function.get("/quiet")
    def quiet() -> Answer:
        return no_content()

    call(function, "GET", "/logs", headers={"x-correlation-id": "first"})
    call(function, "GET", "/quiet")

    last = json.loads(log.getvalue().splitlines()[-1])
    assert "workspace_id" not in last
    assert last["correlation_id"] != "first"


def test_refused_calls_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    counted = []
    for error in (Unauthenticated("no"), Forbidden("no"), NotFound("no")):
        call(raising(error), "GET", "/raise")
        counted.append("RefusedCalls" in capsys.readouterr().out)

    assert counted == [True, True, False]
