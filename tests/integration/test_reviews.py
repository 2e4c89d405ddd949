"""createPostIncidentReview: a link that reveals nothing, and Jira's call that creates a draft."""

from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from relay.entities.model import PostIncidentReview
from relay.tenants.tenant import Tenant
from tests.integration.relay_stage import Relay, Start
from tests.support.aws_calls import aws_calls, unreachable
from tests.support.entities import incident, review
from tests.support.lambdas import Answer
from tests.support.lifecycle import ACME, GLOBEX

NEW = "/post-incident-reviews/new"
TEMPLATE = "https://ops.example.com/reviews/new?of={incident-id}&in={component-id}"


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments", "search", REVIEW_URL_TEMPLATE=TEMPLATE)


@pytest.fixture
def acme(relay: Relay) -> Tenant:
    tenant = relay.install(ACME)
    relay.links.link(tenant.id, "payments")
    return tenant


def record(relay: Relay, workspace: str = "payments", **entities: Any) -> None:
    """Submit, or handle the queue, while nothing is linked, so that no real site is called."""
    tenants = [link.tenant_id for link in relay.links.of_workspace(workspace)]
    for tenant in tenants:
        relay.links.unlink(tenant, workspace)
    if entities:
        relay.queue(workspace, **entities)
    assert relay.run_queue() == []
    for tenant in tenants:
        relay.links.link(tenant, workspace)


def from_jira(relay: Relay, incident_id: str = "inc-1", component: str = "checkout") -> Answer:
    named = {"component": relay.at_site(component), "incident": relay.at_site(incident_id)}
    query = urlencode(named, quote_via=quote, safe="")
    return relay.jira(ACME, "POST", f"{NEW}?{query}")


def made_for_jira(relay: Relay, answer: Answer) -> Any:
    """The review in the answer to Jira, with the workspace's own ids."""
    [link] = relay.links.of_workspace("payments")
    return link.ids.own_entity(answer.json()["review"])


def from_provider(relay: Relay, incident_id: str = "inc-1", workspace: str = "payments") -> Answer:
    path = f"/v1/workspaces/{workspace}/incidents/{quote(incident_id, safe='')}/review"
    return relay.provider("POST", path)


def recorded_review(relay: Relay, review_id: str = "review-of-inc-1") -> Any:
    answer = relay.provider("GET", f"/v1/workspaces/payments/reviews/{review_id}")
    return answer.json().get("entity")


# --- The link ---


@pytest.mark.usefixtures("acme")
def test_the_link_leads_to_the_providers_page_without_authentication(relay: Relay) -> None:
    record(relay, incidents=[incident("inc-1")])
    inc_1 = relay.at_site("inc-1")
    with aws_calls() as calls:
        known = relay.call("GET", f"{NEW}?incident={inc_1}&component=p4x8q2vn.checkout")
        unknown = relay.call("GET", f"{NEW}?incident=inc-2&component=checkout")
    assert calls.names == []
    assert (known.status, known.body) == (302, "")
    assert known.headers["Location"] == "https://ops.example.com/reviews/new?of=inc-1&in=checkout"
    assert unknown.headers["Location"] == known.headers["Location"].replace("inc-1", "inc-2")
    assert (unknown.status, unknown.body) == (known.status, known.body)


def test_a_filled_in_value_stays_in_its_place(relay: Relay, subtests: pytest.Subtests) -> None:
    for hostile in (
        "a b&in=c#d?e",
        "../../x",
        "x\r\nSet-Cookie: a=b\r\n\r\n<script>",
        "//evil.example",
        "@evil.example",
        "{component-id}",
        "%0d%0aX: y",
        '"><script>alert(1)</script>',
        "支払い\0",
        "x" * 255,
    ):
        with subtests.test(hostile=hostile):
            url = f"{NEW}?incident={quote(hostile, safe='')}&component={quote(hostile, safe='')}"
            answer = relay.call("GET", url)
            assert (answer.status, answer.body) == (302, "")
            location = answer.headers["Location"]
            assert location.isascii()
            assert location.isprintable()
            assert " " not in location
            parts = urlsplit(location)
            assert (parts.scheme, parts.netloc, parts.path) == (
                "https",
                "ops.example.com",
                "/reviews/new",
            )
            assert parse_qs(parts.query) == {"of": [hostile], "in": [hostile]}
            assert "Set-Cookie" not in answer.headers


def test_a_link_without_optional_values_works(relay: Relay, subtests: pytest.Subtests) -> None:
    for query in ("", "?incident=", "?component=x", "?incident=a&incident=b", "?%"):
        with subtests.test(query=query):
            answer = relay.call("GET", f"{NEW}{query}")
            assert answer.status == 302
            assert answer.headers["Location"].startswith("https://ops.example.com/reviews/new?of=")


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert({incident-id})",
        "https:///reviews",
        "/reviews?of={incident-id}",
        "https://a b",
    ],
)
def test_a_template_that_is_no_http_url_fails_at_init(
    function: Callable[..., ModuleType], template: str
) -> None:
    with pytest.raises(RuntimeError, match="REVIEW_URL_TEMPLATE"):
        function("create_post_incident_review", REVIEW_URL_TEMPLATE=template)


def test_without_a_template_every_caller_gets_the_same_404(start: Start) -> None:
    relay = start()
    with aws_calls() as calls:
        pages = [
            relay.call("GET", f"{NEW}?incident={one}")
            for one in ("inc-1", "%3Cscript%3Ealert(1)%3C/script%3E")
        ]
    assert calls.names == []
    assert {page.status for page in pages} == {404}
    assert len({page.body for page in pages}) == 1
    assert "ReviewUrlTemplate" in pages[0].body
    assert "alert" not in pages[0].body
    assert pages[0].headers["Content-Type"] == "text/html; charset=utf-8"
    assert pages[0].headers["Content-Security-Policy"].startswith("default-src 'none'")


# --- Jira's call ---


@pytest.mark.usefixtures("acme")
def test_a_draft_is_created_from_the_record(relay: Relay) -> None:
    """Its timeline is in chronological order, whatever the time zones of the states."""
    states = [
        incident(sequence=1, lastUpdated="2026-01-31T09:30:00+01:00", severity={"level": "P2"}),
        incident(sequence=2, lastUpdated="2026-01-31T08:45:00Z", severity={"level": "P1"}),
        incident(sequence=3, lastUpdated="2026-01-31T08:50:00Z", severity={"level": "P1"}),
        incident(sequence=4, lastUpdated="2026-01-31T13:30:00+05:00", status="resolved"),
    ]
    del states[3]["severity"]
    for state in states:
        record(relay, incidents=[state])
    answer = from_jira(relay)
    assert answer.status == 201
    made = made_for_jira(relay, answer)
    PostIncidentReview.model_validate(made)
    assert made["id"] == "review-of-inc-1"
    assert made["reviews"] == ["inc-1"]
    assert made["url"] == "https://ops.example.com/reviews/new?of=inc-1&in=checkout"
    timeline = made["description"].partition("## Timeline\n\n")[2].partition("\n\n")[0]
    assert timeline.splitlines() == [
        "- 2026-01-31T09:30:00+01:00: open, P2",
        "- 2026-01-31T13:30:00+05:00: resolved",
        "- 2026-01-31T08:45:00Z: open, P1",
    ]
    record(relay)
    assert recorded_review(relay) == made


@pytest.mark.usefixtures("acme")
def test_a_repeated_request_creates_no_second_review(relay: Relay) -> None:
    record(relay, incidents=[incident("inc-1")])
    early = [made_for_jira(relay, from_jira(relay)), from_provider(relay).json()["review"]]
    assert {review["id"] for review in early} == {"review-of-inc-1"}
    record(relay)
    made = recorded_review(relay)
    later = [made_for_jira(relay, from_jira(relay)), from_provider(relay).json()["review"]]
    assert later == [made, made]
    listed = relay.provider("GET", "/v1/workspaces/payments/entities").json()["entities"]
    assert [(one["kind"], one["id"]) for one in listed] == [
        ("incident", "inc-1"),
        ("review", "review-of-inc-1"),
    ]


@pytest.mark.usefixtures("acme")
def test_an_edited_review_is_returned_unchanged(relay: Relay) -> None:
    record(relay, incidents=[incident("inc-1")])
    from_jira(relay)
    record(relay)
    drafted = recorded_review(relay)
    edited = drafted | {
        "updateSequenceNumber": drafted["updateSequenceNumber"] + 1,
        "status": "completed",
    }
    record(relay, reviews=[edited])
    assert made_for_jira(relay, from_jira(relay)) == edited


@pytest.mark.usefixtures("acme")
def test_a_deleted_review_can_be_created_again(relay: Relay) -> None:
    record(relay, incidents=[incident("inc-1")])
    from_jira(relay)
    record(relay)
    path = "/v1/workspaces/payments/reviews/review-of-inc-1"
    assert relay.provider("DELETE", path).status == 202
    assert recorded_review(relay) is None
    assert from_jira(relay).status == 201
    record(relay)
    assert recorded_review(relay)["reviews"] == ["inc-1"]


@pytest.mark.usefixtures("acme")
def test_an_incident_that_is_not_the_sites_own_gets_no_review(relay: Relay) -> None:
    """Another workspace's, another site's, deleted, a review, or unknown: the same answer."""
    record(relay, incidents=[incident("deleted")], reviews=[review("rev-1")])
    record(relay, "search", incidents=[incident("other")])
    globex = relay.install(GLOBEX)
    relay.links.link(globex.id, "search")
    relay.provider("DELETE", "/v1/workspaces/payments/incidents/deleted")
    answers = {one: from_jira(relay, one) for one in ("nobody", "other", "deleted", "rev-1")}
    for one, answer in answers.items():
        assert (answer.status, answer.error_code) == (404, "unknown_incident")
        assert answer.body.replace(f".{one}", ".nobody") == answers["nobody"].body
    assert from_provider(relay, "other", "payments").status == 404
    assert from_provider(relay, "other", "search").status == 201


@pytest.mark.usefixtures("acme")
def test_a_call_that_names_no_incident_is_refused(relay: Relay) -> None:
    for query in ("", "?incident=", "?component=x"):
        answer = relay.jira(ACME, "POST", f"{NEW}{query}")
        assert (answer.status, answer.error_code) == (400, "bad_request")
    for query in (f"?incident={'x' * 256}", f"?incident=inc-1&component={'x' * 256}"):
        for method in ("GET", "POST"):
            assert relay.jira(ACME, method, f"{NEW}{query}").status == 400


@pytest.mark.usefixtures("acme")
def test_an_incident_with_any_id_can_have_a_review(relay: Relay) -> None:
    odd = ["a/b", "x" * 246, "🚀" * 246, "100% #1 ä&b"]
    url = "https://ops.example.com/incidents/odd"
    record(relay, incidents=[incident(one, url=url, summary="s" * 255) for one in odd])
    for one in odd:
        # API Gateway allows no slash in an id that is followed by more of the path.
        found = [made_for_jira(relay, from_jira(relay, one, one))]
        if "/" not in one:
            found.append(from_provider(relay, one).json()["review"])
        for made in found:
            assert PostIncidentReview.model_validate(made).reviews == [one]


@pytest.mark.usefixtures("acme")
def test_a_draft_that_cannot_be_queued_is_not_reported_as_created(relay: Relay) -> None:
    record(relay, incidents=[incident("inc-1")])

    def no_queue(operation: str) -> None:
        if operation == "SendMessage":
            raise unreachable()

    with aws_calls() as calls:
        calls.before = no_queue
        assert from_jira(relay).status == 503
    assert from_jira(relay).status == 201


@pytest.mark.usefixtures("acme")
def test_the_link_only_redirects_and_only_a_site_creates_a_review(relay: Relay) -> None:
    record(relay, incidents=[incident("inc-1")])
    for headers in ({}, {"authorization": f"Bearer {relay.api_key}"}, {"authorization": "JWT x"}):
        answer = relay.call("POST", f"{NEW}?incident=inc-1", None, headers)
        assert (answer.status, answer.error_code) == (401, "unauthenticated")
    signed = relay.jira(ACME, "GET", f"{NEW}?incident=inc-1")
    assert (signed.status, signed.body) == (302, "")
