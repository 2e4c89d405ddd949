"""The page's list of what a site was not given, or has refused."""

import base64

import pytest

from relay.record.store import RecordStore
from tests.integration.page_stage import Page, error, page_at, refuse
from tests.integration.relay_stage import JiraSite, Relay
from tests.support.entities import incident, review


@pytest.fixture
def page(relay: Relay, site: JiraSite) -> Page:
    return page_at(relay, site)


def test_refused_entities_are_found_by_a_part_of_their_id_or_summary(
    relay: Relay, page: Page
) -> None:
    refuse(page, r"\.bad-")
    relay.submit(
        "payments",
        incidents=[
            incident("bad-1", summary="Checkout is SLOW"),
            incident("bad-2", summary="Search is down"),
            incident("good", summary="Slow as well"),
        ],
        reviews=[review("bad-3", summary="Why it was slow")],
    )
    found = page.entities("state=refused&query=slow")["entities"]
    assert [(one["kind"], one["id"]) for one in found] == [
        ("incident", "bad-1"),
        ("review", "bad-3"),
    ]
    [by_id] = page.entities("state=refused&query=BAD-2")["entities"]
    assert by_id["messages"][0].startswith("No such service")
    assert (by_id["summary"], by_id["state"]) == ("Search is down", "refused")
    assert by_id["url"] == incident("bad-2")["url"]
    assert "at" in by_id
    assert page.entities("state=refused&query=nothing") == {"entities": []}
    assert page.entities("state=owed") == {"entities": []}


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("a.%2Ab%20%5Bx", True),
        ("A.", True),
        ("a.%2Bb", False),
        (".%5E", False),
        ("%00", False),
        ("%ED%A0%80", False),
        ("%F0%9F%94%A5" * 255, False),
    ],
)
def test_a_search_is_for_the_text_itself(
    relay: Relay, page: Page, query: str, is_found: bool
) -> None:
    refuse(page, r"\.inc-")
    relay.submit("payments", incidents=[incident(summary="a.*b [x")])
    found = page.entities(f"state=refused&query={query}")["entities"]
    assert [one["id"] for one in found] == (["inc-1"] if is_found else [])


def test_an_unknown_project_is_named(relay: Relay, page: Page) -> None:
    association = {"associationType": "issueIdOrKeys", "values": ["NONE-1"]}
    relay.submit("payments", incidents=[incident(associations=[association])])
    [found] = page.entities("state=refused")["entities"]
    assert "Jira has no project with the key NONE." in found["messages"]
    assert page.workspace()["counts"]["refused"] == 1


def test_entities_are_paged_and_each_is_listed_once(relay: Relay, page: Page) -> None:
    refuse(page, r"\.inc-")
    ids = [f"inc-{number:03}" for number in range(250)]
    relay.submit("payments", incidents=[incident(one) for one in ids])
    listed, after = [], ""
    while True:
        found = page.entities(f"state=refused&limit=60{after}")
        listed += [one["id"] for one in found["entities"]]
        if "next" not in found:
            break
        after = f"&after={found['next']}"
    assert sorted(listed) == ids


def test_the_work_for_a_page_is_bounded_and_the_next_one_continues(
    relay: Relay, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(page, r"\.inc-")
    relay.submit("payments", incidents=[incident(f"inc-{number:03}") for number in range(250)])
    record = RecordStore(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])
    ids = [head.key.id for head in record.heads("payments")]
    monkeypatch.setattr("relay.actions.page_entities._EXAMINED_MAX", 200)
    first = page.entities(f"state=refused&query={ids[-1]}")
    assert first["entities"] == []
    second = page.entities(f"state=refused&query={ids[-1]}&after={first['next']}")
    assert [one["id"] for one in second["entities"]] == [ids[-1]]
    monkeypatch.setattr("relay.actions.page_entities._BYTES_MAX", 1)
    [only] = page.entities("state=refused")["entities"]
    assert only["id"] == ids[0]


def cursor(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=accepted",
        "state=owed&limit=0",
        "state=owed&after=x",
        "state=owed&after=",
        # Of a kind that Relay does not have, without an id, and with an id that none can have.
        f"state=owed&after={cursor('component#x')}",
        f"state=owed&after={cursor('incident#')}",
        f"state=owed&after={cursor('incident#' + 'x' * 256)}",
        "state=owed&nonsense=1",
        "state=owed&state=refused",
        "state=refused&query=" + "x" * 256,
    ],
)
def test_a_bad_query_is_refused(page: Page, query: str) -> None:
    assert error(page, "GET", f"/workspaces/payments/entities?{query}") == (400, "bad_request")
