"""The operations tool's keys: who has one, for what, and until when."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from relay.identity.api_keys import ApiKeys
from tests.support.aws import Aws
from tests.support.aws_calls import aws_calls
from tests.support.lambdas import Answer, call
from tests.support.template import functions, routes

Ask = Callable[[str | None], Answer]


@pytest.fixture
def keys(aws: Aws) -> ApiKeys:
    return ApiKeys(aws.dynamodb, aws.environment["API_KEYS_TABLE"])


@pytest.fixture
def stored(aws: Aws) -> Callable[[], list[Any]]:
    return lambda: list(aws.dynamodb.scan(TableName=aws.environment["API_KEYS_TABLE"])["Items"])


@pytest.fixture
def ask(function: Callable[..., ModuleType]) -> Ask:
    """A call that any valid key for all workspaces may make; None sends no header."""
    module = function("links")

    def list_sites(authorization: str | None) -> Answer:
        headers = {} if authorization is None else {"Authorization": authorization}
        return call(module, "GET", "/v1/sites", None, headers)

    return list_sites


def refused(answer: Answer) -> bool:
    return (answer.status, answer.error_code) == (401, "unauthenticated")


def test_a_key_opens_its_own_workspaces(ask: Ask, keys: ApiKeys) -> None:
    key = keys.issue()
    assert ask(f"Bearer {key}").status == 200
    assert ask(f"bearer  {key} ").status == 200


def test_a_malformed_key_is_refused_without_reading_the_table(
    ask: Ask, keys: ApiKeys, subtests: pytest.Subtests
) -> None:
    key = keys.issue()
    _, key_id, secret = key.split("_", 2)
    for authorization in [
        None,
        "",
        "Bearer",
        "Bearer ",
        key,
        f"JWT {key}",
        f"Basic {key}",
        f"Bearer{key}",
        f"Bearer {key}x",
        f"Bearer {key[:-1]}",
        f"Bearer {key}\n{key}",
        f"Bearer {key} {key}",
        f"Bearer {key},{key}",
        f"Bearer RELAY_{key_id}_{secret}",
        f"Bearer relay_{key_id.upper()}Z_{secret}",
        f"Bearer relay_{key_id}",
        f"Bearer {key_id}_{secret}",
        f"Bearer relay__{secret}",
        f"Bearer relay_{key_id}_",
        "Bearer relay_*_*",
        f"Bearer relay_{chr(0x660) * 16}_{secret}",
        "Bearer " + "x" * 100_000,
    ]:
        with subtests.test(authorization=authorization and authorization[:60]):
            with aws_calls() as calls:
                assert refused(ask(authorization))
            assert calls.names == []


def test_a_wrong_secret_and_an_unknown_key_are_refused_alike(ask: Ask, keys: ApiKeys) -> None:
    key, other = keys.issue(), keys.issue()
    key_id, secret = key[: -len("_") - 43], key[-43:]
    wrong = [
        f"{key_id}_{other[-43:]}",
        f"{key_id}_{secret.swapcase()}",
        f"relay_{'0' * 16}_{secret}",
    ]
    answers, work = [], []
    for attempt in wrong:
        with aws_calls() as calls:
            answers.append(ask(f"Bearer {attempt}"))
        work.append(calls.names)
    assert all(refused(answer) for answer in answers)
    assert len({answer.body for answer in answers}) == 1
    assert work[0] == work[1] == work[2]


def test_a_hash_is_not_accepted_as_a_key(
    ask: Ask, keys: ApiKeys, stored: Callable[[], list[Any]]
) -> None:
    """Read access to the table is not enough to call the API."""
    key_id = keys.issue().split("_")[1]
    (item,) = stored()
    digest = item["hash"]["S"]
    for stolen in (digest, digest[:43]):
        assert refused(ask(f"Bearer relay_{key_id}_{stolen}"))


def test_the_table_stores_no_secret(keys: ApiKeys, stored: Callable[[], list[Any]]) -> None:
    secrets = [keys.issue()[-43:], keys.issue(["payments"], "for payments")[-43:]]
    assert len(set(secrets)) == 2
    text = json.dumps(stored(), default=str)
    assert "for payments" in text, "else nothing is proven"
    assert not any(secret in text for secret in secrets)


def test_a_revoked_key_is_unknown_from_the_next_call(ask: Ask, keys: ApiKeys) -> None:
    key, other = keys.issue(), keys.issue()
    assert ask(f"Bearer {key}").status == 200
    keys.revoke(key.split("_")[1])
    assert refused(ask(f"Bearer {key}"))
    assert ask(f"Bearer {other}").status == 200


def test_a_key_whose_item_is_deleted_is_revoked(ask: Ask, keys: ApiKeys, aws: Aws) -> None:
    key = keys.issue()
    item = {"pk": {"S": key.split("_")[1]}}
    aws.dynamodb.delete_item(TableName=aws.environment["API_KEYS_TABLE"], Key=item)
    assert refused(ask(f"Bearer {key}"))


def test_an_item_of_another_kind_opens_nothing(ask: Ask, keys: ApiKeys, aws: Aws) -> None:
    key = keys.issue()
    item = {"pk": {"S": key.split("_")[1]}}
    aws.dynamodb.put_item(TableName=aws.environment["API_KEYS_TABLE"], Item=item)
    assert refused(ask(f"Bearer {key}"))


# --- Creating, listing and revoking over HTTP ---


@pytest.fixture
def api(function: Callable[..., ModuleType], api_key: str) -> Callable[..., Answer]:
    module = function("keys")

    def call_keys(method: str, path: str, body: Any = None, key: str = api_key) -> Answer:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        return call(module, method, path, sent, headers)

    return call_keys


def test_a_key_is_created_listed_and_revoked(api: Callable[..., Answer], ask: Ask) -> None:
    made = api("POST", "/v1/keys", {"name": "the new one", "allWorkspaces": True})
    assert made.status == 201
    key = made.json()["key"]
    assert ask(f"Bearer {key}").status == 200
    listed = api("GET", "/v1/keys")
    (one,) = [known for known in listed.json()["keys"] if known["name"] == "the new one"]
    assert one["id"] == key.split("_")[1]
    assert one["workspaces"] is None
    assert key[-43:] not in listed.body
    assert api("DELETE", f"/v1/keys/{one['id']}").status == 204
    assert api("DELETE", f"/v1/keys/{one['id']}").status == 204
    assert refused(ask(f"Bearer {key}"))


def test_a_key_for_some_workspaces_cannot_create_list_or_revoke_keys(
    api: Callable[..., Answer], keys: ApiKeys, stored: Callable[[], list[Any]]
) -> None:
    scoped = keys.issue(["payments"])
    before = stored()
    own = scoped.split("_")[1]
    for method, path, body in [
        ("POST", "/v1/keys", {}),
        ("POST", "/v1/keys", {"workspaces": ["payments"]}),
        ("GET", "/v1/keys", None),
        ("DELETE", f"/v1/keys/{own}", None),
    ]:
        answer = api(method, path, body, key=scoped)
        assert (answer.status, answer.error_code) == (403, "forbidden")
    assert stored() == before


def test_an_invalid_request_creates_no_key(
    api: Callable[..., Answer], stored: Callable[[], list[Any]], subtests: pytest.Subtests
) -> None:
    before = stored()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, ""),
        ({"name": "deploys"}, ""),
        ({"allWorkspaces": False}, ""),
        ({"workspaces": ["payments"], "allWorkspaces": True}, ""),
        ({"workspaces": None}, "workspaces"),
        ({"workspaces": None, "allWorkspaces": True}, "workspaces"),
        ({"allWorkspaces": None}, "allWorkspaces"),
        ({"allWorkspaces": "true"}, "allWorkspaces"),
        ({"allWorkspaces": 1}, "allWorkspaces"),
        ({"workspaces": []}, "workspaces"),
        ({"workspaces": "payments"}, "workspaces"),
        ({"workspaces": ["a b"]}, "workspaces[0]"),
        ({"workspaces": [1]}, "workspaces[0]"),
        ({"name": "n" * 256}, "name"),
        ({"name": 1}, "name"),
        ({"admin": True}, "admin"),
    ]
    for body, path in wrong:
        with subtests.test(body=body):
            answer = api("POST", "/v1/keys", body)
            assert (answer.status, answer.error_code) == (400, "bad_request")
            assert [detail["path"] for detail in answer.json()["error"]["details"]] == [path]
    assert stored() == before


# --- Every route of one workspace ---

OF_ONE_WORKSPACE = [
    (name, method, path)
    for name in functions()
    for method, path in routes(name)
    if path.startswith("/v1/workspaces/{workspaceId}")
]


def test_a_key_of_another_workspace_opens_no_route_of_this_one(
    function: Callable[..., ModuleType], keys: ApiKeys, subtests: pytest.Subtests
) -> None:
    headers = {
        "Authorization": f"Bearer {keys.issue(['search', 'payments-2', 'pay'])}",
        "Content-Type": "application/json",
    }
    modules = {name: function(name) for name, _, _ in OF_ONE_WORKSPACE}
    assert {"workspaces", "submissions"} <= set(modules)
    for name, method, path in OF_ONE_WORKSPACE:
        with subtests.test(route=f"{method} {path}"):
            url = path.replace("{workspaceId}", "payments")
            url = url.replace("{containerId+}", "c1").replace("{entityId}", "e1")
            answer = call(modules[name], method, url, b"{}", headers)
            assert answer.status == 403
            assert answer.body == "" if method == "HEAD" else answer.error_code == "forbidden"
