"""The catalog's workspaces: put, read, and refused field by field."""

import gzip
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls, client_error, unreachable
from tests.support.lambdas import Answer, call

WORKSPACE = {
    "name": "Payments",
    "url": "https://ops.example.com/teams/payments",
    "avatarUrl": "https://ops.example.com/teams/payments.png",
}
# name: value, path and rule that the response must name
WRONG_FIELDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no name", {"name": None}, "name", "missing"),
    ("an empty name", {"name": ""}, "name", "string_too_short"),
    ("a long name", {"name": "n" * 256}, "name", "string_too_long"),
    ("a number as name", {"name": 7}, "name", "string_type"),
    ("a list as name", {"name": ["Payments"]}, "name", "string_type"),
    ("no url", {"url": None}, "url", "missing"),
    ("an empty url", {"url": ""}, "url", "uri"),
    ("a path as url", {"url": "/teams/payments"}, "url", "uri"),
    ("a host as url", {"url": "ops.example.com"}, "url", "uri"),
    ("a space in the url", {"url": "https://ops.example.com/a b"}, "url", "uri"),
    ("a letter beyond ASCII in the url", {"url": "https://ops.example.com/é"}, "url", "uri"),
    ("a long url", {"url": "https://x/" + "u" * 1991}, "url", "string_too_long"),
    ("a number as url", {"url": 7}, "url", "string_type"),
    ("a wrong avatarUrl", {"avatarUrl": "payments.png"}, "avatarUrl", "uri"),
    ("a long avatarUrl", {"avatarUrl": "https://x/" + "u" * 1991}, "avatarUrl", "string_too_long"),
    ("an unknown field", {"team": "payments"}, "team", "extra_forbidden"),
    ("an id in the body", {"id": "payments"}, "id", "extra_forbidden"),
]
GOOD_IDS = ["payments", "A.b_c~d-9", "1", "w" * 128, "..."]
WRONG_IDS = ["w" * 129, "a b", "a:b", "a,b", "a%25b", "ä", "a@b", "a=b", "*"]

Put = Callable[..., Answer]


@pytest.fixture
def module(function: Callable[..., ModuleType]) -> ModuleType:
    return function("workspaces")


@pytest.fixture
def put(module: ModuleType, api_key: str) -> Put:
    def put_workspace(id_: str, body: Any = WORKSPACE, key: str = api_key, **more: str) -> Answer:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return call(module, "PUT", f"/v1/workspaces/{id_}", sent, headers)

    return put_workspace


@pytest.fixture
def get(module: ModuleType, api_key: str) -> Callable[..., Answer]:
    def get_workspace(id_: str, key: str = api_key) -> Answer:
        headers = {"Authorization": f"Bearer {key}"}
        return call(module, "GET", f"/v1/workspaces/{id_}", None, headers)

    return get_workspace


@pytest.fixture
def catalog(aws: Aws) -> Callable[[], list[Any]]:
    return lambda: list(aws.dynamodb.scan(TableName=aws.environment["CATALOG_TABLE"])["Items"])


def test_a_workspace_is_read_as_it_was_put(put: Put, get: Callable[..., Answer]) -> None:
    assert put("payments").json() == WORKSPACE | {"id": "payments"}
    assert get("payments").status == 200
    assert get("payments").json() == WORKSPACE | {"id": "payments"}


def test_a_second_put_replaces_all_of_the_first(put: Put, get: Callable[..., Answer]) -> None:
    put("payments")
    second = {"name": "Zahlungen / 決済", "url": "https://ops.example.com/neu"}
    assert put("payments", second).status == 200
    assert get("payments").json() == second | {"id": "payments"}


def test_a_workspace_that_was_never_put_is_not_found(get: Callable[..., Answer]) -> None:
    answer = get("nothing")
    assert (answer.status, answer.error_code) == (404, "unknown_workspace")


def test_each_invalid_field_is_named_by_path_and_rule(
    put: Put, catalog: Callable[[], list[Any]], subtests: pytest.Subtests
) -> None:
    for name, changes, path, rule in WRONG_FIELDS:
        body = {key: value for key, value in (WORKSPACE | changes).items() if value is not None}
        with subtests.test(name):
            answer = put("payments", body)
            assert (answer.status, answer.error_code) == (400, "bad_request")
            (detail,) = answer.json()["error"]["details"]
            assert (detail["path"], detail["rule"]) == (path, rule)
            assert detail["message"]
    assert catalog() == []


def test_all_errors_are_named_in_one_response(put: Put) -> None:
    details = put("payments", {"name": "", "colour": "red"}).json()["error"]["details"]
    assert {detail["path"] for detail in details} == {"name", "url", "colour"}


def test_the_longest_values_are_accepted(put: Put, get: Callable[..., Answer]) -> None:
    longest = {"name": "é" * 255, "url": "https://x/" + "u" * 1990}
    assert put("payments", longest).status == 200
    assert get("payments").json() == longest | {"id": "payments"}


def test_ids_consist_of_unreserved_url_characters(
    put: Put,
    get: Callable[..., Answer],
    catalog: Callable[[], list[Any]],
    subtests: pytest.Subtests,
) -> None:
    for wrong in WRONG_IDS:
        with subtests.test(wrong=wrong):
            answer = put(wrong)
            assert (answer.status, answer.error_code) == (400, "bad_request")
            assert answer.json()["error"]["details"][0]["path"] == "workspaceId"
    assert catalog() == []
    for good in GOOD_IDS:
        with subtests.test(good=good):
            assert put(good).status == 200
            assert get(good).json()["id"] == good


def test_a_body_that_is_not_a_json_object_is_refused(
    put: Put, catalog: Callable[[], list[Any]], subtests: pytest.Subtests
) -> None:
    text = json.dumps(WORKSPACE).encode()
    for name, body in {
        "nothing": b"",
        "no JSON": b"name=Payments",
        "cut off": text[:-1],
        "two documents": text + text,
        "not UTF-8": text.replace(b"Payments", b"\xff\xfe"),
        "UTF-16": text.decode().encode("utf-16"),
        "null": b"null",
        "a list": b"[" + text + b"]",
        "a text": b'"Payments"',
        "too deep": b'{"name":' * 5000,
    }.items():
        with subtests.test(name):
            answer = put("payments", body)
            assert (answer.status, answer.error_code) == (400, "bad_request")
    assert catalog() == []


def test_another_content_type_is_refused(put: Put, catalog: Callable[[], list[Any]]) -> None:
    for content_type in ("text/plain", "application/xml", "application/jsonp", ""):
        answer = put("payments", content_type=content_type)
        assert (answer.status, answer.error_code) == (415, "unsupported_media_type")
    assert put("payments", content_encoding="br").status == 415
    assert catalog() == []
    assert put("payments", content_type="Application/JSON; charset=utf-8").status == 200


def test_a_gzip_body_is_accepted_and_a_broken_one_refused(put: Put) -> None:
    packed = gzip.compress(json.dumps(WORKSPACE).encode())
    assert put("payments", packed, content_encoding="gzip").status == 200
    for broken in (packed[:-9], b"no gzip", b""):
        assert put("payments", broken, content_encoding="gzip").status == 400


def test_a_page_reads_no_more_of_the_list_than_it_has(
    put: Put, module: ModuleType, api_key: str
) -> None:
    for number in range(4):
        assert put(f"w{number}").status == 200
    headers = {"Authorization": f"Bearer {api_key}"}
    with aws_calls() as calls:
        answer = call(module, "GET", "/v1/workspaces?limit=2", None, headers)
    assert [one["id"] for one in answer.json()["workspaces"]] == ["w0", "w1"]
    assert [one["Limit"] for one in calls.given("Query")] == [2]


def test_a_database_that_fails_is_a_503(put: Put, get: Callable[..., Answer]) -> None:
    for failure in (unreachable(), client_error("ThrottlingException")):
        for attempt in (put, get):
            for at in range(2):
                with aws_calls() as calls:
                    calls.fail(failure, at)
                    answer = attempt("payments")
                assert (answer.status, answer.error_code) == (503, "unavailable")
                assert "from a test" not in answer.body
    assert put("payments").status == 200
