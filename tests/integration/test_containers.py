"""Jira searches containers by name: in all workspaces of the verified site and no others."""

from typing import Any
from urllib.parse import urlencode

import pytest

from relay.catalog.containers import RESULTS_MAX
from relay.entities.workspace_ids import without_key
from relay.tenants.tenant import Tenant
from tests.integration.relay_stage import Relay, Start
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.lambdas import BASE_URL
from tests.support.lifecycle import ACME, GLOBEX, Site

SEARCH = "/containers/search"


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments", "search", "globex-only")


@pytest.fixture
def acme(relay: Relay) -> Tenant:
    tenant = relay.install(ACME)
    for workspace in ("payments", "search"):
        relay.links.link(tenant.id, workspace)
    return tenant


@pytest.fixture
def globex(relay: Relay) -> Tenant:
    tenant = relay.install(GLOBEX)
    relay.links.link(tenant.id, "globex-only")
    return tenant


def container(id: str, name: str = "", updated: str = "2026-01-31T09:30:00Z") -> dict[str, Any]:  # noqa: A002
    return {
        "id": id,
        "name": name or id,
        "url": f"https://ops.example.com/services/{id}",
        "lastUpdatedDate": updated,
    }


def put(relay: Relay, workspace: str, *containers: dict[str, Any]) -> None:
    path = f"/v1/workspaces/{workspace}/containers"
    answer = relay.provider("POST", path, {"containers": containers})
    assert answer.status == 200, answer.body


def put_named(relay: Relay, *names: str, workspace: str = "payments") -> None:
    """Put containers whose ids are their positions in the list."""
    put(relay, workspace, *(container(str(number), name) for number, name in enumerate(names)))


def search(relay: Relay, query: str | None = None, site: Site = ACME, **others: str) -> list[Any]:
    given = {"searchQuery": query} if query is not None else {}
    url = f"{SEARCH}?{urlencode(given | others)}".rstrip("?")
    answer = relay.jira(site, "GET", url)
    assert answer.status == 200, answer.body
    assert set(answer.json()) == {"containers"}
    found: list[Any] = answer.json()["containers"]
    return found


def names(found: list[Any]) -> list[str]:
    return [one["name"] for one in found]


def ids(found: list[Any]) -> list[str]:
    """The workspaces' own ids, without the key."""
    return [without_key(one["id"]) for one in found]


# --- Results ---


@pytest.mark.usefixtures("acme")
def test_a_name_matches_by_any_part_ignoring_case_and_accents(relay: Relay) -> None:
    put_named(relay, "Überweisung Süd", "Checkout API", "支払い", "Łódź")
    for query, found in {
        "Überweisung Süd": "Überweisung Süd",
        "uberweisung sud": "Überweisung Süd",
        "WEISUNG": "Überweisung Süd",
        "ung  su": "Überweisung Süd",
        "ÜD": "Überweisung Süd",
        " out ": "Checkout API",
        "払": "支払い",
        "ódz": "Łódź",
    }.items():
        assert names(search(relay, query)) == [found], query
    assert search(relay, "checkout sud") == []


@pytest.mark.usefixtures("acme")
def test_full_matches_come_first_then_prefix_matches(relay: Relay) -> None:
    put_named(relay, "My API", "API Gateway", "Apiary", "API", "Gateway of the API")
    put(relay, "search", container("other", "api"))
    assert names(search(relay, "api"))[:2] == ["API", "api"]
    assert names(search(relay, "aPi"))[2:] == [
        "API Gateway",
        "Apiary",
        "Gateway of the API",
        "My API",
    ]


@pytest.mark.usefixtures("acme")
def test_a_container_has_jiras_shape(relay: Relay) -> None:
    own = container("checkout/api", "Checkout API") | {
        "avatarUrl": "https://ops.example.com/checkout.png",
        "description": "Only for DevOps components.",
    }
    put(relay, "payments", own, container("search"))
    with_avatar, without = search(relay)
    if with_avatar["id"] != relay.at_site("checkout/api"):
        with_avatar, without = without, with_avatar
    assert with_avatar == {
        name: own[name] for name in ("name", "url", "avatarUrl", "lastUpdatedDate")
    } | {"id": relay.at_site("checkout/api")}
    assert without == container("search") | {
        "id": relay.at_site("search"),
        "avatarUrl": f"{BASE_URL}/logo.svg",
    }


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("query", [None, "", "   "])
def test_without_a_query_the_last_updated_come_first(relay: Relay, query: str | None) -> None:
    put(
        relay,
        "payments",
        container("third", updated="2026-01-31T09:30:00.5Z"),
        container("second", updated="2026-01-31T09:30:00-12:00"),
        container("last", updated="0001-01-01T00:00:00+14:00"),
    )
    put(relay, "search", container("first", updated="2026-01-31t23:59:60z"))
    assert ids(search(relay, query)) == ["first", "second", "third", "last"]


@pytest.mark.usefixtures("acme")
def test_at_most_fifty_are_returned(relay: Relay) -> None:
    many = [container(f"s-{n}", updated=f"2026-01-31T09:30:00.{n:03}Z") for n in range(60)]
    put(relay, "payments", *many)
    put(relay, "search", container("whole", "s"))
    assert len(search(relay, "s")) == RESULTS_MAX == 50
    assert ids(search(relay, "s"))[0] == "whole"
    latest = [f"s-{n}" for n in range(59, 9, -1)]
    assert ids(search(relay, workspaceId="payments")) == latest


@pytest.mark.usefixtures("acme")
def test_a_repetitive_name_is_found_once_and_hides_no_other(relay: Relay) -> None:
    put_named(relay, "a" * 255, "ab" * 127, "banana", "pay")
    for query, found in {
        "a": {"a" * 255, "ab" * 127, "banana", "pay"},
        "ana": {"banana"},
        "aa": {"a" * 255},
        "a" * 255: {"a" * 255},
        "ba": {"ab" * 127, "banana"},
    }.items():
        assert sorted(names(search(relay, query))) == sorted(found), query


@pytest.mark.usefixtures("acme")
def test_names_that_hold_the_query_many_times_do_not_crowd_out_others(relay: Relay) -> None:
    """Each of the first containers has sixty index rows before those of the last one."""
    many = ["".join(f"e{part:02}" for part in range(first, first + 60)) for first in range(8)]
    put_named(relay, *many, "ez")
    assert sorted(names(search(relay, "e"))) == [*many, "ez"]


@pytest.mark.usefixtures("acme")
def test_every_character_is_matched_literally(relay: Relay) -> None:
    odd = ['C++ & C# (100%) [beta] *.{x}\\ "q"?=+', "🚀 Launch 👩‍🚀", "nul \0 nul", "50%25", "a_b"]
    put_named(relay, *odd)
    for query in ("C++", "100%", "%) [", "*.", "\\ ", '"q"?=+', "C#", "& c"):
        assert names(search(relay, query)) == [odd[0]], query
    assert names(search(relay, "🚀")) == [odd[1]]
    assert names(search(relay, "nul\0nul")) == [odd[2]]
    assert names(search(relay, "%25")) == [odd[3]]
    assert names(search(relay, "_")) == [odd[4]]
    assert search(relay, "a.b") == search(relay, "a%b") == []


@pytest.mark.usefixtures("acme")
def test_long_names_match_by_every_part(relay: Relay) -> None:
    """The index stores a hundred characters of each part; the rest is compared, too."""
    stem = "".join(f"{number:03}" for number in range(84))
    put_named(relay, stem + "abc", stem + "xyz")
    assert len(search(relay, stem)) == 2
    assert names(search(relay, stem + "abc")) == [stem + "abc"]
    assert names(search(relay, "082083xyz")) == [stem + "xyz"]
    assert names(search(relay, stem[30:] + "x")) == [stem + "xyz"]
    assert search(relay, stem + "abd") == search(relay, "x" * 3000) == []


# --- Changes ---


@pytest.mark.usefixtures("acme")
def test_a_renamed_container_is_found_by_its_new_name_only(relay: Relay) -> None:
    put(relay, "payments", container("one", "Checkout"))
    put(relay, "payments", container("one", "Basket", "2026-02-01T00:00:00Z"))
    assert search(relay, "check") == []
    assert ids(search(relay, "basket")) == ["one"]
    assert names(search(relay)) == ["Basket"]


@pytest.mark.usefixtures("acme")
def test_a_deleted_container_is_not_found(relay: Relay) -> None:
    put(relay, "payments", container("one", "Checkout"), container("two", "Checkout"))
    for _ in range(2):
        path = "/v1/workspaces/payments/containers/one"
        assert relay.provider("DELETE", path).status == 204
    assert ids(search(relay, "check")) == ["two"]
    assert ids(search(relay)) == ["two"]


@pytest.mark.usefixtures("acme")
def test_an_interrupted_rename_never_shows_a_wrong_name(relay: Relay) -> None:
    """It is written in three steps, any of which may be the last; a repetition completes it."""
    put(relay, "payments", container("one", "Checkout"))
    body = {"containers": [container("one", "Basket")]}
    for at in range(3):
        with aws_calls() as calls:
            writes = 0

            def break_off(operation: str, at: int = at) -> None:
                nonlocal writes
                writes += operation == "BatchWriteItem"
                if operation == "BatchWriteItem" and writes > at:
                    raise unreachable()

            calls.before = break_off
            path = "/v1/workspaces/payments/containers"
            assert relay.provider("POST", path, body).status == 503
        found = {query: names(search(relay, query)) for query in ("check", "bask")}
        assert found in (
            {"check": ["Checkout"], "bask": []},
            {"check": [], "bask": ["Basket"]},
        )
    put(relay, "payments", container("one", "Basket"))
    assert names(search(relay, "bask")) == ["Basket"]


# --- Isolation ---


@pytest.mark.usefixtures("acme", "globex")
def test_a_site_finds_nothing_of_another_site(relay: Relay) -> None:
    put(relay, "payments", container("ours", "Checkout"))
    put(relay, "globex-only", container("theirs", "Checkout"))
    assert ids(search(relay, "checkout")) == ids(search(relay)) == ["ours"]
    assert ids(search(relay, "checkout", GLOBEX)) == ids(search(relay, None, GLOBEX)) == ["theirs"]
    for query in ("checkout", ""):
        assert search(relay, query, workspaceId="globex-only") == []
        assert search(relay, query, workspaceId="never-put") == []


@pytest.mark.usefixtures("acme")
def test_a_search_can_be_limited_to_one_workspace(relay: Relay) -> None:
    put(relay, "payments", container("one", "Checkout"))
    put(relay, "search", container("two", "Checkout"))
    assert ids(search(relay, "check")) == ["one", "two"]
    assert ids(search(relay, "check", workspaceId="search")) == ["two"]
    assert ids(search(relay, workspaceId="payments")) == ["one"]


def test_only_linked_workspaces_are_searched(relay: Relay, acme: Tenant) -> None:
    put(relay, "payments", container("one", "Checkout"))
    put(relay, "globex-only", container("two", "Checkout"))
    relay.links.offer(acme.id, "globex-only")
    assert ids(search(relay, "check")) == ["one"]
    relay.links.unlink(acme.id, "payments")
    assert search(relay, "check") == []


@pytest.mark.usefixtures("acme")
def test_two_workspaces_of_a_site_may_have_containers_with_the_same_id(relay: Relay) -> None:
    put(relay, "payments", container("same", "Checkout of payments"))
    put(relay, "search", container("same", "Checkout of search"))
    assert names(search(relay, "checkout")) == ["Checkout of payments", "Checkout of search"]
