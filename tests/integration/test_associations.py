"""Jira reports its users' associations: they are stored per site and shown to the provider."""

from typing import Any
from urllib.parse import quote

import pytest

from relay.tenants.tenant import Tenant
from tests.integration.relay_stage import Relay, Start
from tests.support.aws import Aws
from tests.support.entities import incident, review
from tests.support.lifecycle import ACME, GLOBEX, Site

ASSOCIATED, DISASSOCIATED = "/entities/associated", "/entities/disassociated"
PERSON = "557058:f1e2d3c4-a-person"


@pytest.fixture
def relay(start: Start) -> Relay:
    relay = start("payments")
    # Before any link exists, so that nothing is delivered to a real site.
    relay.submit("payments", incidents=[incident("inc-1")], reviews=[review("rev-1")])
    return relay


@pytest.fixture
def acme(relay: Relay) -> Tenant:
    tenant = relay.install(ACME)
    relay.links.link(tenant.id, "payments")
    return tenant


def ari(kind: str, entity_id: str) -> str:
    return f"ari:cloud:jira:0a1b2c3d:{kind}/activation/4e5f6071/{entity_id}"


def issue(number: int = 10068, **others: Any) -> dict[str, Any]:
    return {
        "ati": "ati:cloud:jira:issue",
        "ari": f"ari:cloud:jira:0a1b2c3d:issue/{number}",
        "cloudId": "0a1b2c3d",
        "id": str(number),
    } | others


def associate(
    relay: Relay,
    entity_id: str = "inc-1",
    kind: str = "incident",
    target: Any = None,
    site: Site = ACME,
) -> None:
    at_site = relay.at_site(entity_id)
    body = {
        "entity": {"ari": ari(kind, at_site), "id": at_site},
        "associatedWith": target or issue(),
        "user": {"id": PERSON},
    }
    answer = relay.jira(site, "PUT", ASSOCIATED, body)
    assert (answer.status, answer.body) == (204, "")


def disassociate(
    relay: Relay,
    entity_id: str = "inc-1",
    kind: str = "incident",
    target: Any = None,
    site: Site = ACME,
) -> None:
    at_site = relay.at_site(entity_id)
    body = {
        "entity": {"ari": ari(kind, at_site), "id": at_site},
        "disassociatedFrom": target or issue(),
        "user": {"id": PERSON},
    }
    answer = relay.jira(site, "PUT", DISASSOCIATED, body)
    assert (answer.status, answer.body) == (204, "")


def shown(relay: Relay, path: str = "incidents/inc-1", workspace: str = "payments") -> list[Any]:
    """The ids of the associations shown to the provider, for each site."""
    answer = relay.provider("GET", f"/v1/workspaces/{workspace}/{path}")
    assert answer.status == 200, answer.body
    sites = [site.get("associations", []) for site in answer.json()["sites"]]
    return [sorted(target["id"] for target in targets) for targets in sites]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("kind", "entity_id", "path"),
    [
        ("incident", "inc-1", "incidents/inc-1"),
        ("post-incident-review", "rev-1", "reviews/rev-1"),
        ("", "inc-1", "incidents/inc-1"),
        ("", "rev-1", "reviews/rev-1"),
        ("something-new", "rev-1", "reviews/rev-1"),
    ],
)
def test_associating_and_disassociating_are_shown_and_idempotent(
    relay: Relay, kind: str, entity_id: str, path: str
) -> None:
    """The kind comes from the ARI or, as Jira's own example has none, from the record."""
    for _ in range(2):
        associate(relay, entity_id, kind)
        assert shown(relay, path) == [["10068"]]
    answer = relay.provider("GET", f"/v1/workspaces/payments/{path}")
    assert answer.json()["sites"][0]["associations"] == [issue()]
    for _ in range(2):
        disassociate(relay, entity_id, kind)
        assert shown(relay, path) == [[]]


@pytest.mark.usefixtures("acme")
def test_an_entity_may_have_several_associations(relay: Relay) -> None:
    service = {"ati": "ati:cloud:graph:service", "id": "checkout"}
    for target in (issue(1), issue(2), service, issue(2)):
        associate(relay, target=target)
    assert shown(relay) == [["1", "2", "checkout"]]
    disassociate(relay, target=issue(1))
    disassociate(relay, target=service)
    assert shown(relay) == [["2"]]


@pytest.mark.usefixtures("acme")
def test_disassociating_an_entity_that_was_never_associated_succeeds(relay: Relay) -> None:
    disassociate(relay)
    disassociate(relay, "never-submitted", "")
    assert shown(relay) == [[]]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("path", ["incidents/late", "reviews/late"])
@pytest.mark.parametrize("kind", ["said", ""])
def test_an_association_that_arrives_before_its_entity_is_stored(
    relay: Relay, path: str, kind: str
) -> None:
    said = {"incidents/late": "incident", "reviews/late": "post-incident-review"}[path]
    associate(relay, "late", said if kind else "", issue(1))
    associate(relay, "late", said if kind else "", issue(2))
    recorded = {"incidents": [incident("late")], "reviews": [review("late")]}
    collection = path.partition("/")[0]
    record(relay, "payments", **{collection: recorded[collection]})
    assert shown(relay, path) == [["1", "2"]]
    disassociate(relay, "late", said if kind else "", issue(1))
    assert shown(relay, path) == [["2"]]


def record(relay: Relay, workspace: str, **entities: Any) -> None:
    """Submit while nothing is linked, then restore the links."""
    tenants = [link.tenant_id for link in relay.links.of_workspace(workspace)]
    for tenant in tenants:
        relay.links.unlink(tenant, workspace)
    assert relay.submit(workspace, **entities) == []
    for tenant in tenants:
        relay.links.link(tenant, workspace)


@pytest.mark.usefixtures("acme")
def test_an_incident_and_a_review_with_the_same_id_are_distinguished_by_jiras_type(
    relay: Relay,
) -> None:
    record(relay, "payments", incidents=[incident("same")], reviews=[review("same")])
    associate(relay, "same", "post-incident-review")
    assert shown(relay, "incidents/same") == [[]]
    assert shown(relay, "reviews/same") == [["10068"]]


def test_a_calls_cloud_id_is_stored_with_the_association_only(relay: Relay, acme: Tenant) -> None:
    """The token does not cover the body: Connect proves no cloudId."""
    associate(relay)
    assert relay.tenants.get(acme.id) == acme
    assert "0a1b2c3d" not in str(relay.aws.dynamodb.scan(TableName="TenantsTable")["Items"])
    answer = relay.provider("GET", "/v1/workspaces/payments/incidents/inc-1").json()
    assert answer["sites"][0]["associations"][0]["cloudId"] == "0a1b2c3d"


@pytest.mark.usefixtures("acme")
def test_the_user_is_not_stored(relay: Relay, aws: Aws) -> None:
    webhook = {"url": "https://ops.example.com/hook", "secret": f"whsec_{'A' * 32}"}
    assert relay.provider("PUT", "/v1/workspaces/payments/webhook", webhook).status == 200
    target = issue(user={"id": PERSON}, accountId=PERSON, author=PERSON)
    associate(relay, target=target)
    associate(relay, "never-submitted", "", target)
    disassociate(relay, target=target)
    queue = aws.environment["NOTICES_QUEUE"]
    notices = aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(notices) == 2
    for kept in (relay.stored(), str(notices)):
        assert "10068" in kept
        assert PERSON not in kept
        assert "f1e2d3c4" not in kept


def test_an_association_applies_to_its_own_site_only(relay: Relay, acme: Tenant) -> None:
    globex = relay.install(GLOBEX)
    relay.links.link(globex.id, "payments")
    associate(relay, target=issue(1))
    associate(relay, target=issue(2), site=GLOBEX)
    answer = relay.provider("GET", "/v1/workspaces/payments/incidents/inc-1").json()
    shown_at = {
        site["site"]: [one["id"] for one in site["associations"]] for site in answer["sites"]
    }
    assert shown_at == {acme.id: ["1"], globex.id: ["2"]}
    disassociate(relay, target=issue(1), site=GLOBEX)
    assert sorted(shown(relay)) == [["1"], ["2"]]


@pytest.mark.usefixtures("acme")
def test_a_site_cannot_associate_another_sites_entity(relay: Relay) -> None:
    """It is answered like an unknown id, and shown nowhere."""
    relay.install(GLOBEX)
    associate(relay, "inc-1", site=GLOBEX)
    associate(relay, "never-submitted", site=GLOBEX)
    assert shown(relay) == [[]]


@pytest.mark.usefixtures("acme")
def test_an_id_may_hold_any_character(relay: Relay) -> None:
    odd = ["a/b", "ä", "100%", "50%25", "#1", "a b", "a\nb", '"', "x" * 246, "🚀" * 246]
    url = "https://ops.example.com/incidents"
    record(relay, "payments", incidents=[incident(one, url=url) for one in odd])
    for one in odd:
        associate(relay, one)
        assert shown(relay, f"incidents/{quote(one, safe='')}") == [["10068"]]


@pytest.mark.usefixtures("acme")
def test_an_incomplete_body_is_refused(relay: Relay, subtests: pytest.Subtests) -> None:
    entity = {"ari": ari("incident", "inc-1"), "id": relay.at_site("inc-1")}
    for path, name in ((ASSOCIATED, "associatedWith"), (DISASSOCIATED, "disassociatedFrom")):
        other = "associatedWith" if path == DISASSOCIATED else "disassociatedFrom"
        bodies: list[Any] = [
            b"",
            b"{",
            b"[]",
            {},
            {"entity": entity},
            {name: issue()},
            {"entity": entity, other: issue()},
            {"entity": {"ari": entity["ari"]}, name: issue()},
            {"entity": {"id": ""}, name: issue()},
            {"entity": {"id": "x" * 256}, name: issue()},
            {"entity": entity, name: "an issue"},
            {"entity": entity, name: issue(ari="x" * 2001)},
            {"entity": entity, name: issue(cloudId="x" * 201)},
        ]
        for body in bodies:
            with subtests.test(path=path, body=str(body)[:60]):
                answer = relay.jira(ACME, "PUT", path, body)
                assert (answer.status, answer.error_code) == (400, "bad_request")
    assert shown(relay) == [[]]


@pytest.mark.usefixtures("acme")
def test_a_body_may_omit_or_add_fields(relay: Relay) -> None:
    entity = {"id": relay.at_site("inc-1"), "new": 1}
    body = {"entity": entity, "associatedWith": {"id": "1"}, "trace": {}}
    assert relay.jira(ACME, "PUT", ASSOCIATED, body).status == 204
    assert shown(relay) == [["1"]]
