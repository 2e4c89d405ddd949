"""Deletions are remembered and delivered to every linked site; no late event undoes them."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from relay.jira.client import JiraClient, http_client
from relay.jira.credentials import ConnectCredential
from relay.tenants.tenant import Tenant
from tests.integration.relay_stage import JiraSite, Relay, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident, review
from tests.support.lambdas import APP_KEY
from tests.support.lifecycle import Site

Link = Callable[..., JiraSite]


@pytest.fixture
def link(relay: Relay, simulator: Simulator) -> Link:
    """A new site with Relay, linked to these workspaces."""

    def linked(*workspaces: str) -> JiraSite:
        site = install_from(relay, simulator)
        for workspace in workspaces or ("payments",):
            answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
            assert answer.status == 200, answer.body
        return site

    return linked


@pytest.fixture
def site(link: Link) -> JiraSite:
    return link()


def path_of(entity_id: str, collection: str = "incidents") -> str:
    return f"/v1/workspaces/payments/{collection}/{quote(entity_id, safe='')}"


def delete(relay: Relay, entity_id: str = "inc-1", collection: str = "incidents") -> None:
    answer = relay.provider("DELETE", path_of(entity_id, collection))
    assert answer.status == 202, answer.body
    assert answer.json() == {"kind": collection[:-1], "id": entity_id}


def found(relay: Relay, entity_id: str = "inc-1", collection: str = "incidents") -> Any:
    answer = relay.provider("GET", path_of(entity_id, collection))
    assert answer.status == 200, answer.body
    return answer.json()


def states(relay: Relay, entity_id: str = "inc-1") -> dict[str, str]:
    return {site["site"]: site["state"] for site in found(relay, entity_id)["sites"]}


def a_moment_later() -> None:
    """Wait: a state accepted within the same millisecond counts as accepted before."""
    time.sleep(0.002)


# --- By id ---


def test_a_deletion_is_remembered_and_reaches_every_linked_site(relay: Relay, link: Link) -> None:
    sites = [link(), link()]
    relay.submit("payments", incidents=[incident(), incident("inc-2")], reviews=[review()])
    delete(relay)
    delete(relay, "rev-1", "reviews")
    at_once = found(relay)
    assert (at_once["deleted"], "entity" in at_once) == (True, False)
    assert set(states(relay).values()) == {"owed"}
    assert relay.run_queue() == []
    for site in sites:
        assert site.held("incident").keys() == {"inc-2"}
        assert site.held("review") == {}
    assert states(relay) == {site.id: "deleted" for site in sites}
    assert found(relay, "inc-2")["deleted"] is False


def test_deleting_twice_succeeds(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident()])
    for _ in range(2):
        delete(relay)
    assert relay.run_queue() == []
    delete(relay)
    assert relay.run_queue() == []
    assert states(relay) == {site.id: "deleted"}
    assert site.held("incident") == {}


def test_an_entity_that_was_never_submitted_can_be_deleted(relay: Relay, site: JiraSite) -> None:
    """The site may have it from another time, so it is sent the deletion."""
    deliver(relay, site, incident("from-before"))
    delete(relay, "from-before")
    assert relay.run_queue() == []
    assert site.held("incident") == {}
    document = found(relay, "from-before")
    assert document["deleted"] is True
    assert "updateSequenceNumber" not in document
    (at_site,) = document["sites"]
    assert at_site["state"] == "deleted"
    assert "updateSequenceNumber" not in at_site
    listed = relay.provider("GET", "/v1/workspaces/payments/entities").json()["entities"]
    assert [(one["id"], "updateSequenceNumber" in one) for one in listed] == [
        ("from-before", False)
    ]
    a_moment_later()
    relay.submit("payments", incidents=[incident("from-before", sequence=-(2**63))])
    assert site.held("incident").keys() == {"from-before"}


def test_ids_with_any_characters_can_be_deleted(relay: Relay, site: JiraSite) -> None:
    odd = ["a/b", "a/review", "50%", "50%25", "#1", "ä b", "..", "x" * 246]
    url = "https://ops.example.com/incidents/odd"
    relay.submit("payments", incidents=[incident(one, url=url) for one in odd])
    assert site.held("incident").keys() == set(odd)
    for one in odd:
        delete(relay, one)
    assert relay.run_queue() == []
    assert site.held("incident") == {}


# --- Revival ---


def test_a_state_accepted_before_the_deletion_does_not_return(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident(sequence=1)])
    relay.queue("payments", incidents=[incident(sequence=1000)])
    late = relay.waiting()
    delete(relay)
    assert relay.run_queue() == []
    assert relay.run_again(late) == []
    assert found(relay)["deleted"] is True
    assert site.held("incident") == {}
    assert states(relay) == {site.id: "deleted"}


def test_an_older_or_equal_sequence_does_not_return(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident(sequence=5)])
    delete(relay)
    a_moment_later()
    for sequence in (4, 5):
        assert relay.submit("payments", incidents=[incident(sequence=sequence)]) == []
        assert found(relay)["deleted"] is True
        assert site.held("incident") == {}


def test_a_newer_state_submitted_after_the_deletion_is_delivered(
    relay: Relay, site: JiraSite
) -> None:
    relay.submit("payments", incidents=[incident(sequence=5)])
    delete(relay)
    relay.run_queue()
    a_moment_later()
    relay.submit("payments", incidents=[incident(sequence=6, summary="Again")])
    assert site.held("incident")["inc-1"]["summary"] == "Again"
    document = found(relay)
    assert (document["deleted"], document["entity"]["summary"]) == (False, "Again")
    assert states(relay) == {site.id: "accepted"}
    # The second round of the deletion does not delete it, either.
    assert relay.let_delays_pass() == 1
    assert relay.run_queue() == []
    assert site.held("incident").keys() == {"inc-1"}
    assert states(relay) == {site.id: "accepted"}


def test_an_entity_delivered_during_the_deletion_is_deleted(relay: Relay, site: JiraSite) -> None:
    relay.submit("payments", incidents=[incident()])
    delete(relay)
    relay.run_queue()
    deliver(relay, site, incident(sequence=2))
    assert site.held("incident").keys() == {"inc-1"}
    assert relay.let_delays_pass() == 1
    assert relay.run_queue() == []
    assert site.held("incident") == {}


# --- Sites and AWS in trouble ---


def test_a_deletion_is_retried_at_a_failing_site(relay: Relay, link: Link) -> None:
    well, ill = link(), link()
    relay.submit("payments", incidents=[incident()])
    move(relay, ill, "http://127.0.0.1:1")
    delete(relay)
    assert relay.run_queue() == []
    assert states(relay) == {well.id: "deleted", ill.id: "owed"}
    assert well.held("incident") == {}
    assert ill.held("incident").keys() == {"inc-1"}
    move(relay, ill, ill.site.base_url)
    relay.let_time_pass()
    relay.run_replays()
    assert states(relay) == {well.id: "deleted", ill.id: "deleted"}
    assert ill.held("incident") == {}


def move(relay: Relay, site: JiraSite, base_url: str) -> Tenant:
    """Move the site to another URL."""
    return relay.install(Site(site.site.client_key, base_url, site.site.secret))


def test_a_site_without_the_app_delays_nothing(
    relay: Relay, link: Link, simulator: Simulator
) -> None:
    well, gone = link(), link()
    relay.submit("payments", incidents=[incident()])
    simulator.control("POST", f"/sites/{gone.name}/uninstall").raise_for_status()
    delete(relay)
    assert relay.run_queue() == []
    # Jira deleted everything it had when the app was uninstalled.
    assert states(relay) == {well.id: "deleted", gone.id: "deleted"}


@pytest.mark.parametrize("by", ["id", "properties"])
def test_an_interrupted_deletion_is_completed_wherever_it_stops(
    relay: Relay, site: JiraSite, by: str
) -> None:
    """Each call to AWS fails once; the caller gets an error, but need not retry."""
    statuses = []
    for at in range(10):
        one = f"inc-{at}"
        relay.submit("payments", incidents=[incident(one)], properties={"attempt": str(at)})
        by_properties = f"/v1/workspaces/payments/entities?attempt={at}"
        with aws_calls() as calls:
            calls.fail(unreachable(), at)
            url = path_of(one) if by == "id" else by_properties
            answer = relay.provider("DELETE", url)
        statuses.append(answer.status)
        relay.run_queue()
        relay.let_delays_pass()
        assert relay.run_queue() == []
        assert found(relay, one)["deleted"] == (one not in site.held("incident"))
        if answer.status == 202:
            break
    assert statuses[-1] == 202
    assert set(statuses[:-1]) == {503}
    assert found(relay, one)["deleted"] is True


# --- By properties ---


def delete_by(relay: Relay, query: str, workspace: str = "payments") -> int:
    answer = relay.provider("DELETE", f"/v1/workspaces/{workspace}/entities?{query}")
    assert answer.status == 202, answer.body
    assert set(answer.json()) == {"deleted"}
    return int(answer.json()["deleted"])


def test_entities_with_all_of_the_properties_are_deleted_in_their_own_workspace(
    relay: Relay, link: Link
) -> None:
    """Also at a site that is linked to other workspaces with the same properties."""
    shared = link("payments", "search")
    both = {"team": "a", "region": "eu"}
    relay.submit(
        "payments", incidents=[incident("both")], reviews=[review("both")], properties=both
    )
    relay.submit("payments", incidents=[incident("one")], properties={"team": "a"})
    relay.submit("payments", incidents=[incident("other")], properties=both | {"team": "b"})
    relay.submit("payments", incidents=[incident("none")])
    relay.submit("search", incidents=[incident("elsewhere")], properties=both)
    assert delete_by(relay, "region=eu&team=a") == 2
    assert relay.run_queue() == []
    assert shared.held("incident").keys() == {"one", "other", "none", "elsewhere"}
    assert shared.held("review") == {}
    assert delete_by(relay, "region=eu&team=a") == 0
    assert delete_by(relay, "team=a") == 1
    assert delete_by(relay, "team=") == delete_by(relay, "region=us") == 0
    assert relay.run_queue() == []
    assert shared.held("incident").keys() == {"other", "none", "elsewhere"}


def test_an_entity_has_the_properties_of_its_last_submission(relay: Relay) -> None:
    relay.submit("payments", incidents=[incident(sequence=1)], properties={"team": "a"})
    relay.submit("payments", incidents=[incident(sequence=2)], properties={"team": "b"})
    assert delete_by(relay, "team=a") == 0
    assert delete_by(relay, "team=b") == 1


def test_properties_with_any_characters_select_entities(relay: Relay) -> None:
    properties = {"a b&c": "d=e+f", "ä": "100%", "empty": "", "x" * 255: "y" * 255}
    relay.submit("payments", incidents=[incident()], properties=properties)
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in properties.items()
    )
    assert delete_by(relay, query) == 1


def test_many_deletions_are_sent_in_several_messages(relay: Relay, site: JiraSite) -> None:
    many = [incident(f"i{number}") for number in range(101)]
    relay.submit("payments", incidents=many, properties={"team": "a"})
    assert len(site.held("incident")) == 101
    assert delete_by(relay, "team=a") == 101
    assert relay.run_queue() == []
    assert site.held("incident") == {}
    assert relay.let_delays_pass() == 2


def test_an_invalid_property_is_refused(relay: Relay) -> None:
    relay.submit("payments", incidents=[incident()])
    for query in (
        "",
        "a:b=c",
        "_a=b",
        "=x",
        "&".join(f"p{number}=x" for number in range(5)),
        f"a={'x' * 256}",
        f"{'x' * 256}=a",
        "a=b&a=b",
        "a=b&a=c",
    ):
        answer = relay.provider("DELETE", f"/v1/workspaces/payments/entities?{query}".rstrip("?"))
        assert (answer.status, answer.error_code) == (400, "bad_request"), query
    assert found(relay)["deleted"] is False


# --- Jira's own API ---


def deliver(relay: Relay, site: JiraSite, entity: dict[str, Any]) -> None:
    """Deliver an incident to the site that Relay does not know, or no longer."""
    own = site.site
    [link] = relay.links.of_workspace("payments")
    entity = link.ids.entity_at_site(entity)
    credential = ConnectCredential(APP_KEY, own.client_key, own.base_url, own.secret)
    with http_client() as http:
        body = json.dumps({"incidents": [entity]}).encode()
        answer = JiraClient(http, own.base_url, credential).submit_entities(body)
    assert answer.accepted == {entity["id"]}
