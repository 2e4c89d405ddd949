"""Containers managed by the operations tool: singly, in bulk, listed and searched."""

from typing import Any
from urllib.parse import quote

import pytest

from relay.entities.fields import ID_MAX
from tests.integration.relay_stage import Relay, Start
from tests.support.aws_calls import aws_calls
from tests.support.lambdas import Answer

CONTAINERS = "/v1/workspaces/payments/containers"
DOCUMENT = {
    "name": "Checkout API",
    "url": "https://ops.example.com/services/checkout",
    "lastUpdatedDate": "2026-01-31T09:30:00Z",
}


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments")


def put(relay: Relay, *ids: str) -> None:
    containers = [DOCUMENT | {"id": one} for one in ids]
    answer = relay.provider("POST", CONTAINERS, {"containers": containers})
    assert answer.json() == {"put": len(set(ids))}


def listed(relay: Relay, query: str = "") -> tuple[list[str], str | None]:
    answer = relay.provider("GET", f"{CONTAINERS}?{query}".rstrip("?"))
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.json()["containers"]], answer.json().get("next")


# All characters that Jira allows in an id, slashes included.
ODD_IDS = ["a/b", "a/b/c", "a-_.~@:{}=/x", "1", "z" * ID_MAX, "containers", "webhook"]


def test_a_container_is_put_read_and_deleted_whatever_its_id(relay: Relay) -> None:
    for one in ODD_IDS:
        for path in (f"{CONTAINERS}/{one}", f"{CONTAINERS}/{quote(one, safe='')}"):
            assert relay.provider("PUT", path, DOCUMENT).json() == DOCUMENT | {"id": one}
            assert relay.provider("GET", path).json() == DOCUMENT | {"id": one}
            assert [relay.provider("DELETE", path).status for _ in range(2)] == [204, 204]
            gone = relay.provider("GET", path)
            assert (gone.status, gone.error_code) == (404, "unknown_container")


def test_an_id_that_jira_would_refuse_is_refused(relay: Relay) -> None:
    for one in ("a b", "ä", "a//b", "a/", "z" * 256, "z" * 3000, "a?b", "50%", "a\nb"):
        path = f"{CONTAINERS}/{quote(one, safe='')}"
        for method, body in (("PUT", DOCUMENT), ("GET", None), ("DELETE", None)):
            answer = relay.provider(method, path, body)
            assert (answer.status, answer.error_code) == (400, "bad_request"), one
        many = relay.provider("POST", CONTAINERS, {"containers": [DOCUMENT | {"id": one}]})
        assert (many.status, many.error_code) == (400, "bad_request")
    assert listed(relay) == ([], None)


def test_several_are_put_in_one_call_and_the_last_of_an_id_counts(relay: Relay) -> None:
    first, last = DOCUMENT | {"id": "one"}, DOCUMENT | {"id": "one", "name": "Basket"}
    answer = relay.provider("POST", CONTAINERS, {"containers": [first, last]})
    assert answer.json() == {"put": 1}
    assert relay.provider("GET", f"{CONTAINERS}/one").json() == last
    assert listed(relay, "query=check") == ([], None)
    assert listed(relay, "query=bask") == (["one"], None)


def put_named(relay: Relay, *names: str) -> Answer:
    """Put containers 0, 1, … with these names."""
    containers = [DOCUMENT | {"id": str(n), "name": name} for n, name in enumerate(names)]
    return relay.provider("POST", CONTAINERS, {"containers": containers})


@pytest.mark.parametrize(
    "names",
    [
        ["x" * 255] * 1000,
        ["x" * 254] * 101,
        # Each of these characters is compared as eighteen.
        ["\ufdfa" * 255] * 6,
    ],
)
def test_names_that_would_fill_the_index_are_refused(relay: Relay, names: list[str]) -> None:
    with aws_calls() as calls:
        answer = put_named(relay, *names)
    assert (answer.status, answer.error_code) == (413, "too_large")
    [detail] = answer.json()["error"]["details"]
    assert (detail["path"], detail["rule"]) == ("containers", "max_name_characters")
    assert "25600 characters" in detail["message"]
    assert "BatchWriteItem" not in calls.names
    assert listed(relay) == ([], None)


def test_replaced_names_count_as_well(relay: Relay) -> None:
    # GIVEN two lists of names, each as long as allowed
    long = ["x" * 255] * 100
    assert put_named(relay, *long).json() == {"put": 100}
    more = [DOCUMENT | {"id": f"more-{n}", "name": "x" * 255} for n in range(100)]
    assert relay.provider("POST", CONTAINERS, {"containers": more}).json() == {"put": 100}

    # WHEN they are renamed, all at once is too much; half of them is accepted and may stay
    short = [DOCUMENT | {"id": one["id"], "name": "y"} for one in more]
    both = [DOCUMENT | {"id": str(n), "name": "y"} for n in range(100)] + short
    assert relay.provider("POST", CONTAINERS, {"containers": both}).status == 413
    assert put_named(relay, *["y"] * 100).json() == {"put": 100}
    assert relay.provider("POST", CONTAINERS, {"containers": more}).json() == {"put": 100}


def test_one_invalid_container_refuses_the_whole_call(relay: Relay) -> None:
    bad = DOCUMENT | {"id": "two", "lastUpdatedDate": "yesterday"}
    answer = relay.provider("POST", CONTAINERS, {"containers": [DOCUMENT | {"id": "one"}, bad]})
    assert answer.status == 400
    assert [one["path"] for one in answer.json()["error"]["details"]] == [
        "containers[1].lastUpdatedDate"
    ]
    for containers in ([], [DOCUMENT | {"id": f"c{n}"} for n in range(1001)]):
        assert relay.provider("POST", CONTAINERS, {"containers": containers}).status == 400
    assert listed(relay) == ([], None)


def test_pages_neither_skip_nor_repeat(relay: Relay) -> None:
    put(relay, *(f"c{number}" for number in range(7)), "a/b")
    for limit in (1, 3, 4, 8, 100):
        found: list[str] = []
        page, after = listed(relay, f"limit={limit}")
        while after is not None:
            assert len(page) <= limit
            found += page
            page, after = listed(relay, f"limit={limit}&after={quote(after, safe='')}")
        found += page
        assert found == ["a/b", *(f"c{number}" for number in range(7))]


@pytest.mark.parametrize("path", [CONTAINERS, "/v1/workspaces"])
def test_an_invalid_page_is_refused(relay: Relay, path: str) -> None:
    limits: list[Any] = [0, 101, -1, "x", "1.0", "1e1", "9" * 5000, "%C2%B2", "%D9%A3", "+1"]
    for query in (*(f"limit={limit}" for limit in limits), f"after={'x' * 256}"):
        answer = relay.provider("GET", f"{path}?{query}")
        assert (answer.status, answer.error_code) == (400, "bad_request"), query
    assert relay.provider("GET", f"{path}?limit=100&after={'%F0%9F%9A%80' * ID_MAX}").status == 200


def test_a_search_respects_its_limit(relay: Relay) -> None:
    put(relay, "one", "two", "three")
    assert listed(relay, "query=checkout&limit=2") == (["one", "three"], None)


def test_a_container_cannot_be_put_into_an_unknown_workspace(relay: Relay) -> None:
    path = CONTAINERS.replace("payments", "never-put")
    for method, url, body in (
        ("POST", path, {"containers": [DOCUMENT | {"id": "one"}]}),
        ("PUT", f"{path}/one", DOCUMENT),
    ):
        answer = relay.provider(method, url, body)
        assert (answer.status, answer.error_code) == (404, "unknown_workspace")


def test_a_key_lists_its_workspaces_even_if_some_are_missing(relay: Relay) -> None:
    for workspace in ("b", "d", "not-for-the-key"):
        relay.put_workspace(workspace)
    key = relay.key_for("a", "b", "c", "d", "e")
    first = relay.provider("GET", "/v1/workspaces?limit=1", key=key).json()
    assert ([one["id"] for one in first["workspaces"]], first["next"]) == (["b"], "b")
    second = relay.provider("GET", "/v1/workspaces?limit=1&after=b", key=key).json()
    assert ([one["id"] for one in second["workspaces"]], second["next"]) == (["d"], "d")
    last = relay.provider("GET", "/v1/workspaces?limit=1&after=d", key=key).json()
    assert last == {"workspaces": []}
