"""What every HTTP function does: its own URL, its routes, its errors, its headers, its log."""

import base64
import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from relay.edge.http import HttpFunction, json_answer, no_content
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
from relay.jira.errors import JiraUnreachable, SiteDown, SiteMoved
from relay.telemetry import logger
from relay.tenants import Installation, LifecycleToken
from tests.support.aws_calls import client_error, unreachable
from tests.support.botocore_models import models_read_once
from tests.support.lambdas import Answer, Context, http_event
from tests.support.tokens import claims, signed_callback

__all__ = ["models_read_once"]

GATEWAY = "https://abcdef12.execute-api.eu-west-1.amazonaws.com"
SECURITY_HEADERS = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "cache-control": "no-cache, no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def serving(base_url: str = "") -> HttpFunction:
    """A function that tells what it was asked, or raises what it is given."""
    function = HttpFunction(base_url)

    @function.get("/told")
    @function.get("/told/<first>")
    @function.get("/told/<first>/of/<rest>")
    @function.post("/told")
    def tell(**parameters: str) -> Any:
        request = function.request
        told = {
            "method": request.method,
            "path": request.raw_path,
            "query": request.raw_query,
            "baseUrl": request.base_url,
            "headers": dict(request.headers),
            "body": base64.b64encode(request.body).decode(),
            "parameters": parameters,
        }
        return json_answer(200, told)

    @function.get("/nothing")
    def nothing() -> Any:
        return no_content()

    @function.post("/json")
    def read() -> Any:
        return json_answer(200, json.loads(json_body(function.request, 100)))

    return function


def raising(error: Exception) -> HttpFunction:
    function = HttpFunction("")

    @function.get("/raise")
    def fail() -> Any:
        raise error

    return function


def send(function: HttpFunction | ModuleType, event: dict[str, Any]) -> Answer:
    handler: Any = function.handler if isinstance(function, ModuleType) else function
    answer = handler(event, Context())
    return Answer(answer["statusCode"], answer["headers"], answer.get("body") or "")


def asked(method: str, url: str, **more: Any) -> Any:
    """What the function was told of this request."""
    answer = send(serving(), http_event(method, url, **more))
    assert answer.status == 200, answer.body
    return answer.json()


def in_stage(stage: str, method: str, path: str, **more: Any) -> dict[str, Any]:
    """API Gateway's event in a stage with a name, which it puts before the path."""
    event = http_event(method, path, stage=stage, **more)
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/{stage}{path}"
    return event


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


# --- Its own URL ---


def test_the_base_url_is_the_one_that_is_set() -> None:
    answer = send(serving("https://relay.example.com/app"), http_event("GET", "/told"))

    assert answer.json()["baseUrl"] == "https://relay.example.com/app"


def test_without_one_the_base_url_is_api_gateways() -> None:
    assert asked("GET", "/told")["baseUrl"] == GATEWAY


def test_a_stage_with_a_name_is_part_of_the_base_url_and_not_of_the_path() -> None:
    told = send(serving(), in_stage("prod", "GET", "/told")).json()

    assert told["baseUrl"] == f"{GATEWAY}/prod"
    assert told["path"] == "/told"


def test_a_stage_is_taken_off_once() -> None:
    told = send(serving(), in_stage("told", "GET", "/told")).json()

    assert told["path"] == "/told"


@pytest.mark.parametrize("stage", ["$default", "prod"])
def test_the_descriptor_tells_where_the_app_really_is(
    function: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setenv("BASE_URL", "")
    descriptor = function("descriptor")
    path = "/atlassian-connect.json"
    event = http_event("GET", path) if stage == "$default" else in_stage(stage, "GET", path)

    document = send(descriptor, event).json()

    assert document["baseUrl"] == GATEWAY + ("" if stage == "$default" else f"/{stage}")


def test_jira_signs_the_path_without_the_stage(
    function: Callable[..., ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "")
    lifecycle = function("lifecycle")
    secret = "ATCO-a-secret-that-only-jira-and-relay-share"
    installation = Installation("client", "https://acme.atlassian.net", secret)
    lifecycle.tenants.install(installation, LifecycleToken(1, "digest"))
    token = signed_callback(secret, claims("client", "POST", "/lifecycle/enabled"))

    headers = {"authorization": f"JWT {token}"}
    event = in_stage("prod", "POST", "/lifecycle/enabled", body="{}", headers=headers)

    assert send(lifecycle, event).status == 204


# --- The request ---


def test_a_request_is_told_as_it_stood_on_the_wire() -> None:
    told = asked(
        "GET", "/told?b=%2F&a=1+2&a", headers={"X-Some-Header": "Value", "AUTHORIZATION": "x"}
    )

    assert (told["method"], told["path"], told["query"]) == ("GET", "/told", "b=%2F&a=1+2&a")
    assert told["headers"] == {"x-some-header": "Value", "authorization": "x"}
    assert told["body"] == ""


@pytest.mark.parametrize("body", [b"", b"\x00\xff", "é🔥".encode()])
def test_a_body_comes_through_byte_by_byte(body: bytes) -> None:
    assert base64.b64decode(asked("POST", "/told", body=body)["body"]) == body


def test_a_body_may_come_as_text() -> None:
    assert base64.b64decode(asked("POST", "/told", body="é🔥")["body"]) == "é🔥".encode()


def test_a_body_that_is_no_base64_is_refused() -> None:
    event = http_event("POST", "/told", b"x")
    event["body"] = "x"

    answer = send(serving(), event)

    assert (answer.status, answer.error_code) == (400, "bad_request")


def test_json_is_read_where_it_is_declared() -> None:
    def post(content_type: str) -> Answer:
        headers = {"content-type": content_type}
        return send(serving(), http_event("POST", "/json", b"[1]", headers))

    assert post("application/json").json() == [1]
    assert post("text/plain").status == 415


# --- Routes ---


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("GET", "/told/"),
        ("GET", "/toldx"),
        ("GET", "/nothing/more"),
        ("PUT", "/told"),
        ("DELETE", "/told"),
        ("PATCH", "/told"),
        ("HEAD", "/told"),
        ("OPTIONS", "/told"),
        ("POST", "/nothing"),
    ],
)
def test_there_is_nothing_at_an_unknown_method_or_path(method: str, path: str) -> None:
    answer = send(serving(), http_event(method, path))

    assert (answer.status, answer.error_code) == (404, "not_found")
    assert answer.json()["error"]["details"] == []


def test_a_dot_in_a_route_is_a_dot(function: Callable[..., ModuleType]) -> None:
    descriptor = function("descriptor")

    assert send(descriptor, http_event("GET", "/atlassian-connect.json")).status == 200
    assert send(descriptor, http_event("GET", "/atlassian-connectXjson")).status == 404
    assert send(descriptor, http_event("GET", "/atlassian-connect.json\n")).status == 404


@pytest.mark.parametrize(
    "value", ["a", "a.b~c-d_e", "a b", "é🔥", "a|b", "{}", "a:b@c", "<x>", "%"]
)
def test_a_parameter_may_hold_any_character_but_the_first_no_slash(value: str) -> None:
    event = http_event("GET", "/told")
    event["rawPath"] = f"/told/{value}/of/{value}/{value}"

    told = send(serving(), event).json()

    assert told["parameters"] == {"first": value, "rest": f"{value}/{value}"}


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
def test_an_error_of_ours_is_answered_with_its_status_code_words_and_details(
    error: RelayError, status: int, code: str
) -> None:
    answer = send(raising(error), http_event("GET", "/raise"))

    assert (answer.status, answer.error_code) == (status, code)
    document = answer.json()["error"]
    assert set(document) == {"code", "message", "details"}
    assert "words" in document["message"]
    assert document["details"] == [
        {"path": detail.path, "rule": detail.rule, "message": detail.message}
        for detail in error.details
    ]


def test_who_is_not_known_is_not_told_why(log: io.StringIO) -> None:
    answer = send(raising(Unauthenticated("the secret reason")), http_event("GET", "/raise"))

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
def test_when_aws_fails_the_caller_is_to_try_again(
    error: ClientError | BotoCoreError, log: io.StringIO
) -> None:
    answer = send(raising(error), http_event("GET", "/raise"))

    assert (answer.status, answer.error_code) == (503, "unavailable")
    assert "from a test" not in answer.body
    assert type(error).__name__ not in answer.body
    assert type(error).__name__ in log.getvalue()


@pytest.mark.parametrize(
    "error", [ValueError("Xq7"), KeyError("Xq7"), RecursionError("Xq7"), AssertionError("Xq7")]
)
def test_what_was_not_foreseen_says_nothing_of_itself(error: Exception, log: io.StringIO) -> None:
    answer = send(raising(error), http_event("GET", "/raise"))

    assert answer.json() == {
        "error": {
            "code": "internal_error",
            "message": "Something went wrong inside Relay.",
            "details": [],
        }
    }
    assert answer.status == 500
    (line,) = (
        json.loads(line) for line in log.getvalue().splitlines() if "Unforeseen error" in line
    )
    assert line["level"] == "ERROR"
    assert type(error).__name__ in line["exception"]


# --- Headers ---


def test_security_headers_are_on_every_answer() -> None:
    answers = [
        send(serving(), http_event("GET", "/told")),
        send(serving(), http_event("GET", "/nothing")),
        send(serving(), http_event("GET", "/nowhere")),
        send(raising(ValueError()), http_event("GET", "/raise")),
        send(raising(Unauthenticated("no")), http_event("GET", "/raise")),
        send(raising(unreachable()), http_event("GET", "/raise")),
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
def test_a_sensible_correlation_id_is_the_callers(given: str) -> None:
    event = http_event("GET", "/told", headers={"X-Correlation-Id": given})

    assert send(serving(), event).headers["x-correlation-id"] == given


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "a\nb", 'a"', "a<b>", "é", "a,b", "x" * 129, "a;b", "../..", "a\x00"]
)
def test_any_other_correlation_id_is_replaced(given: str) -> None:
    event = http_event("GET", "/told", headers={"X-Correlation-Id": given})

    answer = send(serving(), event)

    assert answer.headers["x-correlation-id"] == event["requestContext"]["requestId"]


# --- Log ---


def test_a_call_is_logged_by_its_route_and_without_its_query(log: io.StringIO) -> None:
    token = "eyJ-a-token"
    headers = {"x-correlation-id": "deploy-1", "authorization": f"JWT {token}"}
    event = http_event("GET", f"/told?jwt={token}", headers=headers)
    event["routeKey"] = "GET /told"

    send(serving(), event)

    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["route"], line["status"]) == ("GET /told", 200)
    assert line["correlation_id"] == "deploy-1"
    assert line["milliseconds"] >= 0
    assert token not in log.getvalue()


def test_what_one_call_logged_does_not_stick_to_the_next(log: io.StringIO) -> None:
    function = HttpFunction("")

    @function.get("/logs")
    def logs() -> Any:
        logger.append_keys(workspace_id="of the first")
        return no_content()

    @function.get("/quiet")
    def quiet() -> Any:
        return no_content()

    send(function, http_event("GET", "/logs", headers={"x-correlation-id": "first"}))
    send(function, http_event("GET", "/quiet"))

    last = json.loads(log.getvalue().splitlines()[-1])
    assert "workspace_id" not in last
    assert last["correlation_id"] != "first"


def test_refused_calls_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    counted = []
    for error in (Unauthenticated("no"), Forbidden("no"), NotFound("no")):
        send(raising(error), http_event("GET", "/raise"))
        counted.append("RefusedCalls" in capsys.readouterr().out)

    assert counted == [True, True, False]
