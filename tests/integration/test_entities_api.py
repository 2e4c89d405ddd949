"""Where every entity is, and why: what is recorded, and its outcome at each Jira site."""

import base64
import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from relay import keys
from relay.entities.model import EntityKey, Kind
from relay.table import Table
from tests.integration.relay_stage import JiraSite, Relay, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws import Aws
from tests.support.entities import incident, review
from tests.support.lifecycle import Site

_numbers = itertools.count(1)


@pytest.fixture
def link(relay: Relay, simulator: Simulator) -> Callable[[], JiraSite]:
    """A new site with Relay, and payments linked to it."""

    def linked() -> JiraSite:
        site = install_from(relay, simulator)
        answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/payments")
        assert answer.status == 200, answer.body
        return site

    return linked


@pytest.fixture
def site(link: Callable[[], JiraSite]) -> JiraSite:
    return link()


def nowhere(relay: Relay) -> str:
    """The id of an unreachable site that payments is linked to."""
    url = f"http://127.0.0.1:1/sites/{next(_numbers)}"
    tenant = relay.install(
        Site(f"client-of-{url}", url, "a secret that Jira is never going to see")
    )
    relay.links.link(tenant.id, "payments")
    return tenant.id


def get(relay: Relay, path: str, query: str = "") -> Any:
    answer = relay.provider("GET", f"/v1/workspaces/payments/{path}?{query}".rstrip("?"))
    assert answer.status == 200, answer.body
    return answer.json()


def states(relay: Relay, path: str = "incidents/inc-1") -> dict[str, str]:
    return {site["site"]: site["state"] for site in get(relay, path)["sites"]}


# --- One entity ---


def test_the_product_is_recorded_sent_to_jira_and_shown(relay: Relay, site: JiraSite) -> None:
    entities = {"incidents": [incident()], "reviews": [review()]}
    relay.submit("payments", **entities, providerMetadata={"product": "Ops Tool"})
    relay.submit("payments", incidents=[incident("inc-2")])

    assert site.products("incident") == {"inc-1": "Ops Tool", "inc-2": ""}
    assert site.products("review") == {"rev-1": "Ops Tool"}
    assert get(relay, "incidents/inc-1")["providerMetadata"] == {"product": "Ops Tool"}
    assert "providerMetadata" not in get(relay, "incidents/inc-2")

    # The product belongs to a state, like the properties.
    relay.submit("payments", incidents=[incident("inc-1", 2)])
    assert site.products("incident")["inc-1"] == ""


def test_a_replay_names_the_product(relay: Relay, link: Callable[[], JiraSite]) -> None:
    relay.submit("payments", incidents=[incident()], providerMetadata={"product": "Ops Tool"})

    later = link()
    relay.run_replays()

    assert later.products("incident") == {"inc-1": "Ops Tool"}


def test_a_delivered_entity_is_read_back_with_its_outcome(relay: Relay, site: JiraSite) -> None:
    entities = {"incidents": [incident()], "reviews": [review()], "properties": {"team": "a"}}
    submitted = relay.provider("POST", "/v1/workspaces/payments/submissions", entities).json()
    assert relay.run_queue() == []
    for path, entity, timeline in (
        (
            "incidents/inc-1",
            incident(),
            [{"at": incident()["lastUpdated"], "status": "open", "severity": "P2"}],
        ),
        ("reviews/rev-1", review(), []),
    ):
        found = get(relay, path)
        recorded_at, at = found.pop("recordedAt"), found["sites"][0].pop("at")
        assert recorded_at <= at
        assert found == {
            "kind": path.partition("s/")[0],
            "id": entity["id"],
            "updateSequenceNumber": 1,
            "correlationId": submitted["submissionId"].partition("-")[2],
            "deleted": False,
            "entity": entity,
            "properties": {"team": "a"},
            "timeline": timeline,
            "sites": [
                {
                    "site": site.id,
                    "baseUrl": site.site.base_url,
                    "state": "accepted",
                    "updateSequenceNumber": 1,
                    "messages": [],
                    "unknownProjectKeys": [],
                }
            ],
        }


def test_every_site_has_its_own_outcome(
    relay: Relay, link: Callable[[], JiraSite], simulator: Simulator
) -> None:
    first, gone = link(), link()
    silent = nowhere(relay)
    simulator.control("POST", f"/sites/{gone.name}/uninstall").raise_for_status()
    assert relay.submit("payments", incidents=[incident()]) == []
    assert states(relay) == {first.id: "accepted", gone.id: "owed", silent: "owed"}
    assert first.held("incident").keys() == {"inc-1"}


def test_an_entity_of_an_unlinked_workspace_is_recorded(relay: Relay) -> None:
    relay.submit("payments", incidents=[incident()])
    assert get(relay, "incidents/inc-1")["sites"] == []


def test_an_outcome_names_its_state(relay: Relay, site: JiraSite, simulator: Simulator) -> None:
    relay.submit("payments", incidents=[incident(sequence=1)])
    simulator.set(maxBodyBytes=10)
    try:
        relay.submit("payments", incidents=[incident(sequence=2)])
    finally:
        simulator.set(maxBodyBytes=5 * 1024 * 1024)
    (refused,) = get(relay, "incidents/inc-1")["sites"]
    assert (refused["state"], refused["updateSequenceNumber"]) == ("rejected", 2)
    assert len(refused["messages"]) == 1
    relay.links.unlink(site.id, "payments")
    relay.submit("payments", incidents=[incident(sequence=3)])
    relay.links.link(site.id, "payments")
    found = get(relay, "incidents/inc-1")
    assert found["updateSequenceNumber"] == 3
    (owed,) = found["sites"]
    assert (owed["state"], owed["updateSequenceNumber"]) == ("owed", 2)


def test_unknown_project_keys_are_named(relay: Relay, site: JiraSite) -> None:
    unknown = [{"associationType": "issueIdOrKeys", "values": ["NOPE-1", "NOR-2"]}]
    relay.submit("payments", incidents=[incident(associations=unknown)])
    (outcome,) = get(relay, "incidents/inc-1")["sites"]
    assert outcome["state"] == "unknown project keys"
    assert sorted(outcome["unknownProjectKeys"]) == ["NOPE", "NOR"]
    assert site.held("incident") == {}


def test_an_incident_and_a_review_with_the_same_id_are_distinct(relay: Relay) -> None:
    relay.submit("payments", incidents=[incident("same")])
    assert get(relay, "incidents/same")["entity"] == incident("same")
    answer = relay.provider("GET", "/v1/workspaces/payments/reviews/same")
    assert (answer.status, answer.error_code) == (404, "unknown_entity")


def test_an_unknown_entity_cannot_be_read(relay: Relay, subtests: pytest.Subtests) -> None:
    relay.submit("payments", incidents=[incident()])
    for path, status in (
        ("payments/incidents/inc-2", 404),
        ("search/incidents/inc-1", 404),
        ("never-put/incidents/inc-1", 404),
        (f"payments/incidents/{'x' * 246}", 404),
        (f"payments/incidents/{'x' * 256}", 400),
        (f"payments/reviews/{'x' * 5000}", 400),
        (f"{'x' * 129}/incidents/inc-1", 400),
        ("a%20b/incidents/inc-1", 400),
    ):
        with subtests.test(path=path):
            for method in ("GET", "DELETE") if status == 400 else ("GET",):
                answer = relay.provider(method, f"/v1/workspaces/{path}")
                assert answer.status == status


def test_an_id_may_hold_any_character(relay: Relay, site: JiraSite) -> None:
    odd = ["a/b", "a/review", "entities", "50%", "50%25", "#1", "ä b", '"\\', "x" * 246, ".."]
    url = "https://ops.example.com/incidents/odd"
    relay.submit("payments", incidents=[incident(one, url=url) for one in odd])
    for one in odd:
        found = get(relay, f"incidents/{quote(one, safe='')}", "confirm=true")
        assert (found["id"], found["entity"]["id"]) == (one, one)
        assert found["sites"][0]["jira"]["id"] == one
    assert site.held("incident").keys() == set(odd)


# --- Confirmed by Jira ---


def test_jira_is_called_only_on_request(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident()])
    before = len(site.calls())
    for query in ("", "confirm=false"):
        assert "jira" not in get(relay, "incidents/inc-1", query)["sites"][0]
    assert len(site.calls()) == before
    for query in ("confirm=true", "confirm", "confirm="):
        assert get(relay, "incidents/inc-1", query)["sites"][0]["jira"] == incident()
    path = f"/sites/{site.name}/rest/operations/1.0/incidents/{relay.at_site('inc-1')}"
    assert site.calls()[before:] == [("GET", path)] * 3


def test_jira_may_have_no_state_or_another_one(
    relay: Relay, site: JiraSite, simulator: Simulator
) -> None:
    relay.submit("payments", incidents=[incident()], reviews=[review()])
    relay.links.unlink(site.id, "payments")
    relay.submit("payments", incidents=[incident(sequence=2, summary="Newer")])
    relay.links.link(site.id, "payments")
    held = get(relay, "incidents/inc-1", "confirm=true")["sites"][0]
    assert (held["state"], held["jira"]["summary"]) == ("owed", incident()["summary"])
    relay.submit("payments", reviews=[review("never-delivered")])
    simulator.control("POST", f"/sites/{site.name}/uninstall").raise_for_status()
    # A site without the app cannot be called.
    assert "jira" not in get(relay, "reviews/rev-1", "confirm=true")["sites"][0]


def test_an_entity_missing_in_jira_is_null(relay: Relay, site: JiraSite) -> None:
    unknown = [{"associationType": "issueIdOrKeys", "values": ["NOPE-1"]}]
    relay.submit("payments", incidents=[incident(associations=unknown)])
    (outcome,) = get(relay, "incidents/inc-1", "confirm=true")["sites"]
    assert (outcome["site"], outcome["jira"]) == (site.id, None)


def test_an_unreachable_jira_is_reported(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident()])
    refusing = Site("another-client", site.site.base_url, "another secret than Jira's own one")
    wrong = relay.install(refusing).id
    for tenant, status, code in (
        (nowhere(relay), 503, "jira_unavailable"),
        (wrong, 502, "jira_refused"),
    ):
        relay.links.link(tenant, "payments")
        answer = relay.provider("GET", "/v1/workspaces/payments/incidents/inc-1?confirm=true")
        assert (answer.status, answer.error_code) == (status, code)
        assert states(relay)[site.id] == "accepted"
        relay.links.unlink(tenant, "payments")


def test_confirm_must_be_true_or_false(relay: Relay, subtests: pytest.Subtests) -> None:
    relay.submit("payments", incidents=[incident()])
    for value in ("yes", "1", "TRUE", "%00"):
        with subtests.test(value=value):
            path = f"/v1/workspaces/payments/incidents/inc-1?confirm={value}"
            assert relay.provider("GET", path).status == 400


# --- Many ---


def pages(relay: Relay, query: str) -> list[list[tuple[str, str]]]:
    """The (kind, id) pairs of all pages, in order."""
    found = []
    page = get(relay, "entities", query)
    while True:
        found.append([(one["kind"], one["id"]) for one in page["entities"]])
        if "next" not in page:
            return found
        page = get(relay, "entities", f"{query}&after={page['next']}".lstrip("&"))


def all_of(relay: Relay, query: str = "") -> list[tuple[str, str]]:
    return list(itertools.chain.from_iterable(pages(relay, query)))


def test_entities_are_listed_by_state(relay: Relay, site: JiraSite, simulator: Simulator) -> None:
    def associated(key: str) -> list[Any]:
        return [{"associationType": "issueIdOrKeys", "values": [key]}]

    relay.submit(
        "payments",
        incidents=[incident("taken"), incident("unknown", associations=associated("NOPE-1"))],
        reviews=[review("taken")],
    )
    simulator.set(maxBodyBytes=10)
    try:
        relay.submit("payments", incidents=[incident("refused")])
    finally:
        simulator.set(maxBodyBytes=5 * 1024 * 1024)
    relay.links.unlink(site.id, "payments")
    relay.submit("payments", incidents=[incident("waiting")])
    relay.links.link(site.id, "payments")
    relay.submit("payments", incidents=[incident("deleted")])
    relay.provider("DELETE", "/v1/workspaces/payments/incidents/deleted")
    assert relay.run_queue() == []
    by_state = {
        state: all_of(relay, f"state={quote(state)}")
        for state in (
            "accepted",
            "rejected",
            "unknown project keys",
            "unaccounted",
            "deleted",
            "owed",
        )
    }
    assert by_state == {
        "accepted": [("incident", "taken"), ("review", "taken")],
        "rejected": [("incident", "refused")],
        "unknown project keys": [("incident", "unknown")],
        "unaccounted": [],
        "deleted": [("incident", "deleted")],
        "owed": [("incident", "waiting")],
    }
    assert sorted(all_of(relay)) == sorted(set(itertools.chain.from_iterable(by_state.values())))
    listed = {one["id"]: one for one in get(relay, "entities")["entities"]}
    assert listed["waiting"] == {
        "kind": "incident",
        "id": "waiting",
        "updateSequenceNumber": 1,
        "deleted": False,
        "sites": [
            {
                "site": site.id,
                "baseUrl": site.site.base_url,
                "state": "owed",
                "reason": "It is being replayed.",
            }
        ],
    }


def test_a_state_filter_matches_any_site(relay: Relay, link: Callable[[], JiraSite]) -> None:
    link()
    nowhere(relay)
    relay.submit("payments", incidents=[incident()])
    assert all_of(relay, "state=accepted") == all_of(relay, "state=owed") == [("incident", "inc-1")]
    assert all_of(relay, "state=rejected") == []


def test_pages_neither_skip_nor_repeat(relay: Relay, site: JiraSite) -> None:
    incidents = [incident(f"i{number}") for number in range(5)]
    url = "https://ops.example.com/reviews"
    reviews = [review(one, url=url) for one in ("r0", "ä", "🚀", "a/b")]
    relay.submit("payments", incidents=incidents, reviews=reviews)
    relay.links.unlink(site.id, "payments")
    relay.submit("payments", incidents=[incident("owed")])
    relay.links.link(site.id, "payments")
    everything = all_of(relay, "limit=100")
    assert sorted(everything) == [
        *(("incident", f"i{number}") for number in range(5)),
        ("incident", "owed"),
        *(("review", one) for one in ("a/b", "r0", "ä", "🚀")),
    ]
    assert [kind for kind, _ in everything] == ["incident"] * 6 + ["review"] * 4
    for limit in (1, 2, 3, 9, 10, 11, 100):
        found = pages(relay, f"limit={limit}")
        assert list(itertools.chain.from_iterable(found)) == everything
        assert all(len(page) == limit for page in found[:-1])
    accepted = [one for one in everything if one[1] != "owed"]
    for limit in (1, 4, 9, 100):
        assert all_of(relay, f"limit={limit}&state=accepted") == accepted


def test_an_insert_between_two_pages_moves_nothing(relay: Relay) -> None:
    relay.submit("payments", incidents=[incident(f"i{number}") for number in range(6)])
    first = get(relay, "entities", "limit=3")
    before = [one["id"] for one in first["entities"]]
    relay.submit("payments", incidents=[incident(f"new{number}") for number in range(20)])
    relay.submit("payments", incidents=[incident(before[0], 2)])
    relay.provider("DELETE", f"/v1/workspaces/payments/incidents/{before[-1]}")
    rest = get(relay, "entities", f"limit=100&after={first['next']}")
    after = [one["id"] for one in rest["entities"] if one["id"].startswith("i")]
    assert sorted(before + after) == [f"i{number}" for number in range(6)]


def test_a_rare_state_is_found_among_many_entities(relay: Relay, site: JiraSite, aws: Aws) -> None:
    """A page reads at most a thousand entities: it may be empty and not the last."""
    relay.links.unlink(site.id, "payments")
    relay.submit("payments", incidents=[incident("i0000")])
    relay.links.link(site.id, "payments")
    relay.submit("payments", reviews=[review("rare")])
    table = Table(aws.dynamodb, aws.environment["RECORD_TABLE"])
    shards = keys.entities("payments")
    one = table.get(*shards.key_of(EntityKey(Kind.INCIDENT, "i0000")))
    assert one
    others = [EntityKey(Kind.INCIDENT, f"i{number:04}") for number in range(1, 1001)]
    items = ((*shards.key_of(other), one) for other in others)
    table.write_all(puts=[item | {"pk": pk, "sk": sk} for pk, sk, item in items])
    assert site.held("review").keys() == {"rare"}
    assert pages(relay, "state=accepted") == [[], [("review", "rare")]]
    assert len(all_of(relay, "state=owed")) == 1001


def test_an_invalid_page_is_refused(relay: Relay) -> None:
    def cursor(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode()

    bad = [f"limit={limit}" for limit in (0, 101, -1, "x", "1.5", "9" * 5000, "%D9%A3")]
    bad += [f"state={state}" for state in ("Owed", "nonsense", "owed,accepted", "%00")]
    bad += [
        f"after={after}"
        for after in (
            "x",
            "%00",
            "%FF",
            "ä",
            "===",
            cursor("incident"),
            cursor("incident#"),
            cursor("incident#" + "x" * 256),
            cursor("nonsense#x"),
            base64.urlsafe_b64encode(b"incident#\xff").decode(),
        )
    ]
    for query in bad:
        answer = relay.provider("GET", f"/v1/workspaces/payments/entities?{query}")
        assert (answer.status, answer.error_code) == (400, "bad_request"), query
    assert get(relay, "entities", f"after={cursor('review#' + '🚀' * 246)}") == {"entities": []}


def test_another_workspaces_entities_are_not_listed(relay: Relay) -> None:
    relay.submit("payments", incidents=[incident("ours")])
    relay.submit("search", incidents=[incident("theirs")])
    assert all_of(relay) == [("incident", "ours")]
