"""The body of a lifecycle call: the token does not cover it, so it is believed in nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.security.answers import is_error
from tests.support.lambdas import call
from tests.support.lifecycle import ACME, INSTALLED, UNINSTALLED, Jira

Stored = Callable[[], list[Any]]


def test_a_body_that_is_no_lifecycle_call_is_refused(
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


def test_each_field_that_is_missing_or_wrong_is_named(
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


def test_a_null_is_as_good_as_nothing_where_a_field_is_optional(jira: Jira) -> None:
    body = ACME.body() | {"displayUrl": None, "installationId": None}
    assert jira.installed(ACME, body=body).status == 204


def test_fields_that_relay_does_not_know_are_tolerated(jira: Jira) -> None:
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


def test_the_content_type_does_not_matter_to_jiras_calls(jira: Jira) -> None:
    """Jira's own is application/json; which one it is decides nothing."""
    headers = {"Authorization": f"JWT {jira.token(ACME)}", "Content-Type": "text/plain"}
    answer = call(jira.function, "POST", INSTALLED, json.dumps(ACME.body()).encode(), headers)
    assert answer.status == 204
