"""A key is revoked by its id only."""

from urllib.parse import quote

import pytest

from tests.integration.relay_stage import Relay, Start


@pytest.fixture
def relay(start: Start) -> Relay:
    return start()


def key_id(key: str) -> str:
    return key.split("_")[1]


def test_a_whole_key_is_no_key_id_and_revokes_nothing(relay: Relay) -> None:
    """Otherwise a caller who sends the key by mistake would believe that it is revoked."""
    key = relay.key_for("payments")
    for wrong in (key, key_id(key)[:-1], key_id(key).upper(), key_id(key) + "\n", "x", "0" * 5000):
        answer = relay.provider("DELETE", f"/v1/keys/{quote(wrong)}")
        assert (answer.status, answer.error_code) == (400, "bad_request"), wrong
        assert key not in answer.body
    assert relay.provider("GET", "/v1/workspaces", key=key).status == 200


def test_a_key_is_revoked_once_and_for_all(relay: Relay) -> None:
    key = relay.key_for("payments")
    for _ in range(2):
        assert relay.provider("DELETE", f"/v1/keys/{key_id(key)}").status == 204
        assert relay.provider("GET", "/v1/workspaces", key=key).status == 401
    assert relay.provider("DELETE", "/v1/keys/0123456789abcdef").status == 204


def test_a_new_key_works_immediately_for_its_workspaces(relay: Relay) -> None:
    for workspace in ("payments", "search"):
        relay.put_workspace(workspace)
    made = relay.provider("POST", "/v1/keys", {"name": "One", "workspaces": ["payments"]})
    key = made.json()["key"]
    statuses = {
        workspace: relay.provider("GET", f"/v1/workspaces/{workspace}", key=key).status
        for workspace in ("payments", "search")
    }
    assert statuses == {"payments": 200, "search": 403}
    listed = relay.provider("GET", "/v1/keys").json()["keys"]
    assert [(one["name"], one["workspaces"]) for one in listed] == [
        ("", None),
        ("One", ["payments"]),
    ]
    assert key.split("_", 2)[2] not in str(listed)
