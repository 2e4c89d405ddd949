"""The body of a lifecycle call: the token does not cover it, so nothing else relies on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.security.answers import is_error
from tests.support.lambdas import call
from tests.support.lifecycle import ACME, INSTALLED, UNINSTALLED, Jira

Stored = Callable[[], list[Any]]


def test_an_invalid_lifecycle_body_is_refused(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    text = json.dumps(ACME.body())
    for path in (INSTALLED, UNINSTALLED):
        for name, body in {
            "nothing": b"",
            "white space": b" \n",
            "no JSON": b"clientKey=acme",
            "cut off": text[:-1].encode(),
            "two documents": (text + text).encode(),
            "not UTF-8": text.encode().replace(b"Atlassian Jira", b"\xff\xfe"),
            "UTF-16": text.encode("utf-16"),
            "a lone surrogate": text.replace("Atlassian Jira", "\\ud800").replace(
                "description", "displayUrl"
            ),
            "null": b"null",
            "a list": json.dumps([ACME.body()]).encode(),
            "a text": b'"acme"',
            "too deep": b'{"a":' * 5000,
        }.items():
            with subtests.test(name, path=path):
                answer = jira.post(path, jira.token(ACME, path), body)
                assert is_error(answer, 400, "bad_request")
    assert stored() == []


def test_each_missing_or_invalid_field_is_named(
    jira: Jira, stored: Stored, subtests: pytest.Subtests
) -> None:
    cases: dict[str, list[Any]] = {
        "key": [None, 1, [], {}],
        "clientKey": [None, "", 1, ["acme"], "c" * 501],
        "sharedSecret": [None, "", 1, [], "s" * 4001],
        "baseUrl": [None, "", 1, "https://evil.example"],
        "displayUrl": [1, ["https://acme.atlassian.net"]],
        "installationId": [1, {}],
    }
    for field, wrong in cases.items():
        for value in wrong:
            with subtests.test(field=field, value=value):
                answer = jira.installed(ACME, body=ACME.body(**{field: value}))
                assert is_error(answer, 400, "bad_request")
                details = answer.json()["error"]["details"]
                assert field in [detail["path"] for detail in details]
                assert all(detail["rule"] and detail["message"] for detail in details)
    assert stored() == []


def test_null_counts_as_absent_for_an_optional_field(jira: Jira) -> None:
    body = ACME.body() | {"displayUrl": None, "installationId": None}
    assert jira.installed(ACME, body=body).status == 204


def test_unknown_fields_are_ignored(jira: Jira) -> None:
    unknown: dict[str, Any] = {
        "capabilitySet": "capabilityStandard",
        "cloudId": 42,
        "entitlements": [{"id": 1}],
    }
    assert jira.installed(ACME, body=ACME.body(**unknown)).status == 204
    assert jira.enabled(ACME).status == 204


def test_an_uninstall_needs_neither_secret_nor_base_url(jira: Jira) -> None:
    assert jira.installed(ACME).status == 204
    body = ACME.body("uninstalled", sharedSecret=None, baseUrl=None)
    assert jira.uninstalled(ACME, body=body).status == 204
    assert jira.enabled(ACME).status == 401


def test_jiras_calls_may_have_any_content_type(jira: Jira) -> None:
    """Jira sends application/json, but the type decides nothing."""
    headers = {"Authorization": f"JWT {jira.token(ACME)}", "Content-Type": "text/plain"}
    answer = call(jira.function, "POST", INSTALLED, json.dumps(ACME.body()).encode(), headers)
    assert answer.status == 204
