"""With PlainIds, ids are the same in Jira as in Relay, and a site has only one workspace."""

from typing import Any

import pytest

from relay.delivery.sites import Sites
from relay.entities.model import Kind
from relay.tenants.links import LinkStore
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.aws_calls import aws_calls
from tests.support.entities import incident, review

TEAMS = ("payments", "search")
REVIEWS = "https://ops.example.com/reviews/{incident-id}"


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start(*TEAMS, simulator=simulator, PLAIN_IDS="on", REVIEW_URL_TEMPLATE=REVIEWS)


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    return install_from(relay, simulator)


def link(relay: Relay, site: JiraSite, workspace: str) -> tuple[int, str]:
    answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
    return answer.status, answer.error_code if answer.status >= 400 else ""


def unlink(relay: Relay, site: JiraSite, workspace: str) -> None:
    answer = relay.provider("DELETE", f"/v1/sites/{site.id}/workspaces/{workspace}")
    assert answer.status == 204, answer.body


def test_plain_ids_reach_jira_unchanged(relay: Relay, site: JiraSite) -> None:
    assert link(relay, site, "payments") == (200, "")
    relay.submit(
        "payments",
        incidents=[incident("inc-1", affectedComponents=["api"])],
        reviews=[review("rev-1", reviews=["inc-1"])],
    )

    held = site.at_site("incident")["inc-1"]
    assert held["affectedComponents"] == ["api"]
    assert site.at_site("review")["rev-1"]["reviews"] == ["inc-1"]
    body = {"entity": {"id": "inc-1"}, "associatedWith": {"id": "10068"}}
    assert relay.jira(site.site, "PUT", "/entities/associated", body).status == 204
    found = relay.provider("GET", "/v1/workspaces/payments/incidents/inc-1?confirm=true").json()
    assert found["sites"][0]["jira"]["id"] == "inc-1"
    assert [one["id"] for one in found["sites"][0]["associations"]] == ["10068"]
    made = relay.jira(site.site, "POST", "/post-incident-reviews/new?incident=inc-1").json()
    assert made["review"]["id"] == "review-of-inc-1"
    # An id of this form is the tool's own here.
    followed = relay.call("GET", "/post-incident-reviews/new?incident=p4x8q2vn.inc-1")
    assert followed.headers["Location"] == "https://ops.example.com/reviews/p4x8q2vn.inc-1"


def test_a_second_workspace_is_refused_until_the_first_is_gone(
    relay: Relay, site: JiraSite
) -> None:
    assert link(relay, site, "payments") == (200, "")
    assert link(relay, site, "payments") == (200, "")
    calls = len(site.calls())

    assert link(relay, site, "search") == (409, "one_workspace")

    assert len(site.calls()) == calls
    assert relay.links.workspaces_of(site.id) == ["payments"]
    refused = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/search").json()["error"]
    assert "Unlink 'payments' first" in refused["message"]
    unlink(relay, site, "payments")
    assert link(relay, site, "search") == (200, "")


def test_a_late_delivery_of_the_first_workspace_costs_the_second_nothing(
    relay: Relay, site: JiraSite
) -> None:
    """The delivery was under way when the first workspace was unlinked, and replaces the second's
    entity with the same id; deleting it would delete that entity.
    """
    assert link(relay, site, "payments")[0] == 200
    sites: Sites = relay.gateway.functions["replayer"].parts.sites
    [late] = map(sites.jira_for, sites.linked_to("payments"))
    assert late
    assert relay.provider("DELETE", f"/v1/sites/{site.id}/workspaces/payments").status == 204
    assert link(relay, site, "search")[0] == 200
    relay.run_replays()
    relay.submit("search", incidents=[incident("same")])
    late.submit_entities(Kind.INCIDENT, [incident("same", 2, summary="the first's")], {})

    relay.let_time_pass()
    relay.run_replays()

    assert {one["summary"] for one in site.at_site("incident").values()} == {
        incident("same")["summary"]
    }


def test_only_one_of_two_concurrent_calls_links(relay: Relay, site: JiraSite) -> None:
    """Both have found the site free."""

    class UncheckedLinkStore(LinkStore):
        def check_free(self, *_: object) -> None:
            pass

    links = UncheckedLinkStore(
        relay.aws.dynamodb, relay.aws.environment["TENANTS_TABLE"], plain_ids=True
    )
    links.link(site.id, "payments")
    with pytest.raises(Exception, match="one workspace only"):
        links.link(site.id, "search")
    assert links.workspaces_of(site.id) == ["payments"]
    links.unlink(site.id, "payments")
    links.link(site.id, "search")


def test_concurrent_unlinks_never_free_anothers_site(relay: Relay, site: JiraSite) -> None:
    def another_claims_the_site() -> None:
        unlink(relay, site, "payments")
        assert link(relay, site, "search") == (200, "")

    assert link(relay, site, "payments") == (200, "")
    with aws_calls() as calls:
        calls.race("TransactWriteItems", another_claims_the_site)
        unlink(relay, site, "payments")

    assert relay.links.workspaces_of(site.id) == ["search"]
    table = relay.aws.environment["TENANTS_TABLE"]
    key: Any = {"pk": {"S": f"tenant#{site.id}"}, "sk": {"S": "plainIds"}}
    item = relay.aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
    assert item["workspaceId"] == {"S": "search"}


def test_a_site_with_keyed_links_accepts_no_plain_link(relay: Relay, site: JiraSite) -> None:
    """The setting was changed: existing links stay as they are."""
    relay.links.link(site.id, "payments")

    assert link(relay, site, "search") == (409, "one_workspace")
    assert link(relay, site, "payments") == (200, "")
    assert [one.ids.plain for one in relay.links.of_tenant(site.id)] == [False]


def test_a_site_with_a_plain_link_accepts_no_keyed_link(relay: Relay, site: JiraSite) -> None:
    assert link(relay, site, "payments") == (200, "")

    with pytest.raises(Exception, match="one workspace only"):
        relay.links.link(site.id, "search")


def test_a_link_that_moves_to_another_installation_keeps_its_ids(
    relay: Relay, site: JiraSite, simulator: Simulator
) -> None:
    """Jira may have entities under these ids."""
    relay.links.link(site.id, "payments")
    successor = install_from(relay, simulator)

    moved = relay.provider("POST", f"/v1/sites/{site.id}/move", {"to": successor.id})

    assert moved.json() == {"moved": ["payments"]}
    assert [one.ids.plain for one in relay.links.of_tenant(successor.id)] == [False]
