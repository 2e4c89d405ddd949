"""Every JSON body but a submission's: what is ignored, its size, and its links."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from relay.entities.document import CONTAINERS_BYTES_MAX, DOCUMENT_BYTES_MAX
from relay.entities.fields import FIELDS_MAX
from tests.integration.relay_stage import JSON, Relay, Start
from tests.support.lambdas import Answer
from tests.support.lifecycle import ACME

CONTAINER = {
    "name": "Checkout API",
    "url": "https://ops.example.com/services/checkout-api",
    "lastUpdatedDate": "2026-01-31T09:30:00Z",
}
ENTITY = {"ari": "ari:cloud:jira:1:incident/activation/2/inc-1", "id": "inc-1"}
WORKSPACES = "/v1/workspaces"
BY_PROVIDER: dict[tuple[str, str], Any] = {
    ("PUT", f"{WORKSPACES}/payments"): {"name": "P", "url": "https://ops.example.com/"},
    ("PUT", f"{WORKSPACES}/payments/containers/checkout-api"): CONTAINER,
    ("POST", f"{WORKSPACES}/payments/containers"): {
        "containers": [CONTAINER | {"id": "checkout-api"}]
    },
    ("PUT", f"{WORKSPACES}/payments/webhook"): {
        "url": "https://hooks.example.com/",
        "secret": "whsec_" + "A" * 32,
    },
    ("POST", f"{WORKSPACES}/payments/deletions"): {
        "deletions": [{"kind": "incident", "id": "a", "deletedAt": "2026-01-31T09:45:00Z"}]
    },
    ("POST", "/v1/keys"): {"name": "One", "workspaces": ["payments"]},
    ("POST", "/v1/sites/{site}/replay"): {"what": "owed"},
}
BY_JIRA: dict[tuple[str, str], Any] = {
    ("POST", "/workspaces/fetch"): {"ids": ["payments"]},
    ("PUT", "/entities/associated"): {"entity": ENTITY, "associatedWith": {"id": "1"}},
    ("PUT", "/entities/disassociated"): {"entity": ENTITY, "disassociatedFrom": {"id": "1"}},
}
every_body = pytest.mark.parametrize(
    "call", [*BY_PROVIDER, *BY_JIRA], ids=lambda call: " ".join(call)
)


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments")


@pytest.fixture
def send(relay: Relay) -> Callable[[tuple[str, str], bytes], Answer]:
    """A call of the operations tool, or of a site."""
    tenant = relay.install(ACME)

    def sent(call: tuple[str, str], body: bytes) -> Answer:
        method, path = call
        if call in BY_JIRA:
            return relay.jira(ACME, method, path, body)
        return relay.provider(method, path.format(site=tenant.id), body)

    return sent


Send = Callable[[tuple[str, str], bytes], Answer]


def body_of(call: tuple[str, str]) -> bytes:
    return json.dumps((BY_PROVIDER | BY_JIRA)[call]).encode()


def limit_of(call: tuple[str, str]) -> int:
    is_list = call == ("POST", f"{WORKSPACES}/payments/containers")
    return CONTAINERS_BYTES_MAX if is_list else DOCUMENT_BYTES_MAX


@every_body
def test_a_byte_order_mark_is_skipped(send: Send, call: tuple[str, str]) -> None:
    answer = send(call, b"\xef\xbb\xbf" + body_of(call))

    assert answer.status < 300, answer.body


@every_body
def test_a_body_over_its_byte_limit_is_refused(send: Send, call: tuple[str, str]) -> None:
    body, limit = body_of(call), limit_of(call)

    assert send(call, body.ljust(limit)).status < 300
    answer = send(call, body.ljust(limit + 1))

    assert (answer.status, answer.error_code) == (413, "too_large")
    (detail,) = answer.json()["error"]["details"]
    assert detail["rule"] == "max_bytes"
    assert str(limit) in detail["message"]


def test_the_limits_have_room_for_what_the_documents_allow(send: Send, relay: Relay) -> None:
    ids = [f"{number}".ljust(128, "w") for number in range(1000)]
    assert send(("POST", "/workspaces/fetch"), json.dumps({"ids": ids}).encode()).status == 200
    keys = json.dumps({"name": "é" * 255, "workspaces": ids}).encode()
    assert send(("POST", "/v1/keys"), keys).status == 201
    large = CONTAINER | {
        "name": "é" * 255,
        "url": "https://ops.example.com/".ljust(2000, "x"),
        "avatarUrl": "https://ops.example.com/".ljust(2000, "x"),
        "description": "🔥" * 5000,
    }
    path = ("PUT", f"{WORKSPACES}/payments/containers/checkout-api")
    # Each of these characters has twelve bytes when escaped.
    assert send(path, json.dumps(large).encode()).status == 200
    assert relay.provider("GET", path[1]).json()["description"] == large["description"]


def test_the_first_invalid_item_of_a_list_is_named(send: Send, subtests: pytest.Subtests) -> None:
    for call, body, path in (
        (
            ("POST", f"{WORKSPACES}/payments/containers"),
            {"containers": [CONTAINER | {"id": "a"}, {}, *([{}] * 1000)]},
            "containers[1].",
        ),
        (("POST", "/v1/keys"), {"workspaces": ["a", 1, *([2] * 1000)]}, "workspaces[1]"),
        (("POST", "/workspaces/fetch"), {"ids": ["a", 1, *([2] * 1000)]}, "ids[1]"),
    ):
        with subtests.test(path=path):
            answer = send(call, json.dumps(body).encode())
            assert answer.status == 400
            details = answer.json()["error"]["details"]
            assert all(detail["path"].startswith(path) for detail in details), details


def test_unknown_fields_are_named_up_to_a_limit(send: Send) -> None:
    many = dict.fromkeys((f"unknown{number}" for number in range(FIELDS_MAX + 1)), 1)
    for call in BY_PROVIDER:
        answer = send(call, json.dumps(many).encode())
        assert answer.status == 400
        (detail,) = answer.json()["error"]["details"]
        assert (detail["path"], detail["rule"]) == ("", "too_many_fields")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://x", "https://", "//x", "https://x:99999/", "data:x"]
)
def test_every_accepted_link_is_an_http_url_with_a_host(send: Send, url: str) -> None:
    for call in list(BY_PROVIDER)[:4]:
        document = BY_PROVIDER[call]
        fields = ["url"] if call[1].endswith("webhook") else ["url", "avatarUrl"]
        for field in fields:
            changed: Any = document | {field: url}
            path = field
            if "containers" in document:
                changed = {"containers": [document["containers"][0] | {field: url}]}
                path = f"containers[0].{field}"
            answer = send(call, json.dumps(changed).encode())
            assert answer.status == 400
            (detail,) = answer.json()["error"]["details"]
            assert (detail["path"], detail["rule"]) == (path, "uri")


def test_an_unauthenticated_caller_learns_nothing_about_its_body(relay: Relay) -> None:
    for (method, path), limit in (
        (call, limit_of(call)) for call in (*BY_PROVIDER, *BY_JIRA) if "{" not in call[1]
    ):
        answer = relay.call(method, path, b" " * (limit + 1), JSON)
        assert answer.status == 401
