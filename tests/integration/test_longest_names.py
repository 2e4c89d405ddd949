"""The longest ids, names and texts, in four-byte characters where allowed: each becomes part of a
DynamoDB key, an SQS message or a path, all of which AWS limits.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import TypeAdapter

from relay.entities.fields import (
    DESCRIPTION_MAX,
    PROPERTIES_MAX,
    SITE_ID_MAX,
    TEXT_MAX,
    URL_MAX,
    WORKSPACE_ID_MAX,
    ContainerId,
    EntityId,
)
from tests.integration.catching_up_stage import DOWN, ask, debts, progress, put_link
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident, review
from tests.support.lambdas import Answer

FIRE = "\U0001f525"


def longest(kind: Any) -> int:
    return int(TypeAdapter(kind).json_schema()["maxLength"])


WORKSPACE = "~" * WORKSPACE_ID_MAX
ENTITY = FIRE * longest(EntityId)
CONTAINER = "~" * longest(ContainerId)
NAME = FIRE * TEXT_MAX
URL = "https://ops.example.com/".ljust(URL_MAX, "x")
PROPERTIES = {f"{number}".ljust(TEXT_MAX, FIRE): NAME for number in range(PROPERTIES_MAX - 1)}
PATH = f"/v1/workspaces/{WORKSPACE}"
INCIDENT = f"{PATH}/incidents/{quote(ENTITY)}"


def longest_texts(make: Callable[..., dict[str, Any]], **fields: Any) -> dict[str, Any]:
    texts = {"summary": NAME, "description": FIRE * DESCRIPTION_MAX, "url": URL}
    associations = [{"associationType": "issueIdOrKeys", "values": [NAME]}]
    return make(ENTITY, associations=associations, **texts, **fields)


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    relay = start(simulator=simulator, COMPONENTS_MODULE="on")
    document = {"name": NAME, "url": URL, "avatarUrl": URL}
    assert relay.provider("PUT", PATH, document).status == 200
    return relay


@pytest.fixture
def site(relay: Relay, simulator: Simulator) -> JiraSite:
    site = install_from(relay, simulator)
    put_link(relay, site, WORKSPACE)
    relay.run_replays()
    return site


def submit(relay: Relay, sequence: int = 1) -> None:
    entity = longest_texts(incident, affectedComponents=[CONTAINER] * 100)
    made = longest_texts(review, reviews=[ENTITY] * 100)
    relay.submit(
        WORKSPACE,
        incidents=[entity | {"updateSequenceNumber": sequence}],
        reviews=[made | {"updateSequenceNumber": sequence}],
        properties=PROPERTIES,
        providerMetadata={"product": NAME},
    )


def state(answer: Answer) -> str:
    assert answer.status == 200, answer.body[:300]
    [at_site] = answer.json()["sites"]
    return str(at_site["state"])


def test_the_longest_names_are_submitted_delivered_shown_listed_and_deleted(
    relay: Relay, site: JiraSite
) -> None:
    submit(relay)

    assert len(site.held("incident")) == len(site.held("review")) == 1
    assert state(relay.provider("GET", f"{INCIDENT}?confirm=true")) == "accepted"
    first = relay.provider("GET", f"{PATH}/entities?limit=1").json()
    second = relay.provider("GET", f"{PATH}/entities?limit=1&after={quote(first['next'])}").json()
    assert [one["id"] for one in (*first["entities"], *second["entities"])] == [ENTITY] * 2

    assert relay.provider("DELETE", INCIDENT).status == 202
    [(name, value), *_] = PROPERTIES.items()
    by_property = f"{PATH}/entities?{quote(name)}={quote(value)}"
    assert relay.provider("DELETE", by_property).json() == {"deleted": 1}
    assert relay.run_queue() == []
    assert state(relay.provider("GET", INCIDENT)) == "deleted"
    assert not site.held("incident")
    assert not site.held("review")


def test_the_longest_names_are_owed_to_a_site_that_is_down_and_replayed(
    relay: Relay, site: JiraSite
) -> None:
    site.simulator.fail(site.name, DOWN)
    submit(relay)
    assert debts(relay, site, WORKSPACE) == 2
    assert state(relay.provider("GET", INCIDENT)) == "owed"
    site.simulator.fail(site.name)
    relay.let_time_pass()
    relay.sweep()
    assert debts(relay, site, WORKSPACE) == 0

    assert [one["workspaceId"] for one in ask(relay, site, what="all")] == [WORKSPACE]
    relay.run_replays()
    assert progress(relay, site, WORKSPACE)["done"] == 2
    path = f"/v1/sites/{site.id}/replay?limit=1&after={WORKSPACE}"
    assert relay.provider("GET", path).json() == {"replays": []}


def test_the_longest_names_are_associated_reviewed_and_sent_to_webhooks(
    relay: Relay, site: JiraSite
) -> None:
    submit(relay)
    secret = "whsec_" + "bm90IGEgc2VjcmV0LCBqdXN0IGFuIGV4YW1wbGU="
    hook = relay.provider("PUT", f"{PATH}/webhook", {"url": URL, "secret": secret})
    assert hook.status == 200
    target = dict.fromkeys(("ati", "ari", "id"), FIRE * 2000) | {"cloudId": FIRE * 200}
    at_site, component = relay.at_site(ENTITY, WORKSPACE), relay.at_site(CONTAINER, WORKSPACE)
    assert len(at_site) == len(component) == SITE_ID_MAX
    entity = {"ari": f"ari:cloud:jira:x:incident/activation/y/{at_site}", "id": at_site}

    body = {"entity": entity, "associatedWith": target}
    assert relay.jira(site.site, "PUT", "/entities/associated", body).status == 204
    [shown] = relay.provider("GET", INCIDENT).json()["sites"]
    assert shown["associations"] == [target]
    body = {"entity": entity, "disassociatedFrom": target}
    assert relay.jira(site.site, "PUT", "/entities/disassociated", body).status == 204

    for path in (f"incident={quote(at_site)}", f"incident={quote(at_site)}&component={component}"):
        made = relay.jira(site.site, "POST", f"/post-incident-reviews/new?{path}")
        assert (made.status, made.json()["review"]["reviews"]) == (201, [at_site])
    assert relay.provider("POST", f"{INCIDENT}/review").status == 201


def test_a_container_is_put_found_listed_sent_and_deleted(relay: Relay, site: JiraSite) -> None:
    document = {
        "name": "".join(chr(0x1F300 + number) for number in range(TEXT_MAX)),
        "url": URL,
        "avatarUrl": URL,
        "description": FIRE * DESCRIPTION_MAX,
        "lastUpdatedDate": "2026-01-31T09:30:00Z",
    }
    path = f"{PATH}/containers/{CONTAINER}"
    assert relay.provider("PUT", path, document).status == 200
    assert relay.run_queue() == []

    name = quote(document["name"])
    found = relay.jira(site.site, "GET", f"/containers/search?searchQuery={name}")
    assert [one["id"] for one in found.json()["containers"]] == [
        relay.at_site(CONTAINER, WORKSPACE)
    ]
    page = relay.provider("GET", f"{PATH}/containers?limit=1").json()
    assert page["next"] == CONTAINER
    after = relay.provider("GET", f"{PATH}/containers?limit=1&after={CONTAINER}")
    assert after.json() == {"containers": []}
    assert relay.provider("DELETE", path).status == 204
    assert relay.run_queue() == []


def test_the_link_to_a_review_has_room_for_the_longest_ids(
    function: Callable[..., ModuleType], relay: Relay
) -> None:
    template = "https://ops.example.com/?i={incident-id}&c={component-id}".ljust(1000, "x")
    path = f"/post-incident-reviews/new?incident={quote(ENTITY)}&component={quote(ENTITY)}"
    named = "create_post_incident_review"
    relay.gateway.functions[named] = function(named, REVIEW_URL_TEMPLATE=template)

    assert relay.call("GET", path).status == 302

    often = template.replace("{component-id}", "{incident-id}" * 3)
    relay.gateway.functions[named] = function(named, REVIEW_URL_TEMPLATE=often)
    refused = relay.call("GET", path)
    assert (refused.status, refused.error_code) == (400, "bad_request")
