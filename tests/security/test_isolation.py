"""No caller learns anything about others: every route of the template, called with ids of others.

A site that names another site's id, under Connect or Forge, or a key that names another
workspace's, is answered as if the id did not exist, and changes nothing. A route that is in no
table here fails a test.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from infra.openapi.operation import Caller, Operation
from infra.openapi.operations import OPERATIONS
from infra.openapi.template import Route
from relay.entities.model import EntityKey, EntityState, Kind
from relay.entities.workspace_ids import WorkspaceIds
from relay.queues.submissions import Message, packed
from relay.record.debts import DebtStore
from relay.tenants.troubles import Trouble, TroubleStore
from tests.integration.relay_stage import JSON, Relay, Start
from tests.security import forge_stage
from tests.security.forge_stage import Forge, ForgeCalls, ForgeSite, running_forge
from tests.support.aws import Aws
from tests.support.entities import incident, review
from tests.support.lambdas import Answer
from tests.support.lifecycle import ACME, GLOBEX, Site
from tests.support.template import functions, routes
from tests.support.tokens import claims, signed_callback

# Workspaces and items of another site, of no site, and of no workspace.
THEIRS, UNLINKED, NOBODYS = "theirs", "unlinked", "nobodys"
OURS = "ours"
KEYS = {OURS: "ours0000", THEIRS: "theirs00", UNLINKED: "unlinked", NOBODYS: "nobodys0"}
UNDER_FORGE = {ACME: ForgeSite("acme"), GLOBEX: ForgeSite("globex")}
REVIEW_PAGE = "https://ops.example.com/new?of={incident-id}"


@dataclass(frozen=True)
class Call:
    """A call of a site."""

    url: str
    body: Any = None


SiteCall = Callable[[Site, Route, Call], Answer]


def at_site(own_id: str, of: str) -> str:
    """The id under which a site linked to this workspace has the entity."""
    return WorkspaceIds(KEYS[of]).at_site(own_id)


def entity(entity_id: str) -> dict[str, Any]:
    ari = f"ari:cloud:jira:x:incident/activation/y/{entity_id}"
    return {"ari": ari, "id": entity_id}


def target(of: str) -> dict[str, str]:
    return {"ati": "ati:cloud:jira:issue", "id": f"issue-of-{of}"}


# For each of Jira's routes, the call that names another site's ids.
NAMING: Mapping[Route, Callable[[str], list[Call]]] = {
    Route("POST", "/workspaces/fetch"): lambda of: [
        Call("/workspaces/fetch", {"ids": [of]}),
        Call("/workspaces/fetch", {"ids": [of, of]}),
    ],
    Route("GET", "/workspaces/fetch"): lambda of: [
        Call(f"/workspaces/fetch?ids={of}"),
        Call(f"/workspaces/fetch?searchQuery={of}"),
        Call(f"/workspaces/fetch?ids={of}&searchQuery={of}"),
    ],
    Route("GET", "/containers/search"): lambda of: [
        Call(f"/containers/search?searchQuery={of}"),
        Call(f"/containers/search?workspaceId={of}"),
        Call(f"/containers/search?workspaceId={of}&searchQuery=Service"),
    ],
    Route("POST", "/components/associate"): lambda of: [
        Call("/components/associate", {"entity": {"url": f"https://ops.example.com/s/{of}"}})
    ],
    Route("POST", "/components/disassociate"): lambda of: [
        Call("/components/disassociate", {"entity": {"url": f"https://ops.example.com/s/{of}"}})
    ],
    Route("PUT", "/entities/associated"): lambda of: [
        Call(
            "/entities/associated",
            {"entity": entity(at_site(f"incident-of-{of}", of)), "associatedWith": target(of)},
        )
    ],
    Route("PUT", "/entities/disassociated"): lambda of: [
        Call(
            "/entities/disassociated",
            {"entity": entity(at_site(f"incident-of-{of}", of)), "disassociatedFrom": target(of)},
        )
    ],
    Route("POST", "/post-incident-reviews/new"): lambda of: [
        Call(f"/post-incident-reviews/new?incident={at_site('incident-of-' + of, of)}"),
        Call(
            f"/post-incident-reviews/new?incident={at_site('incident-of-' + of, of)}"
            f"&component={at_site('container-of-' + of, of)}"
        ),
    ],
    Route("GET", "/post-incident-reviews/new"): lambda of: [
        Call(
            f"/post-incident-reviews/new?incident={at_site('incident-of-' + of, of)}"
            f"&component={at_site('container-of-' + of, of)}"
        ),
    ],
}
# These routes authenticate the caller by all the ids that they accept; they have their own tests.
PROVEN_BY_WHAT_THEY_NAME = {
    Route("POST", f"/lifecycle/{event}")
    for event in ("installed", "uninstalled", "enabled", "disabled")
}
# The address names one source, and proves that its caller may speak for it.
PROVEN_BY_WHAT_THEY_NAME |= {Route(method, "/sources/{address}") for method in ("POST", "PUT")}
# The same for Forge's, whose migrations are the installation's own: see `test_forge_routes`.
OF_FORGES_OWN = {Route(method, path) for method, path in forge_stage.ROUTES}
# Those of the page inside Jira, for a user: see `test_page_attacks`.
OF_THE_PAGE = {Route("GET", "/page")} | {
    route for route, operation in OPERATIONS.items() if operation.caller is Caller.PAGE
}
FOR_ANYONE_WITHOUT_IDS = {
    Route("GET", "/about"),
    Route("GET", "/atlassian-connect.json"),
    Route("GET", "/health"),
    Route("GET", "/logo.svg"),
    Route("GET", "/page/forge.html"),
    Route("GET", "/page/page.css"),
    Route("GET", "/page/page.js"),
    Route("GET", "/page/theme.css"),
}
OF_THE_PROVIDER = {
    route: operation
    for route, operation in OPERATIONS.items()
    if operation.caller is Caller.PROVIDER
}
OF_A_WORKSPACE = {
    route: operation
    for route, operation in OF_THE_PROVIDER.items()
    if route.path.startswith("/v1/workspaces/{workspaceId}")
}
# A key for some workspaces sees only what concerns these at a site, and nothing of a site without
# any.
OF_A_LINKED_SITE = {
    Route("GET", "/v1/sites/{site}"),
    Route("GET", "/v1/sites/{site}/workspaces"),
    Route("GET", "/v1/sites/{site}/replay"),
}
OF_EVERY_KEYS_OWN = {
    Route("GET", "/v1/workspaces"),
    Route("GET", "/v1/sites"),
    # The same for everyone.
    Route("GET", "/v1/source-kinds"),
}
FOR_A_KEY_TO_ALL = {
    route: operation
    for route, operation in OF_THE_PROVIDER.items()
    if route.path.startswith(("/v1/sites", "/v1/keys"))
    and route not in OF_A_LINKED_SITE | OF_EVERY_KEYS_OWN
}
# These may name the key's own workspace together with another's item.
THINGS = ("containerId", "incidentId", "reviewId", "submissionId", "sourceId")
ADDRESS_OR_TIME = re.compile(r'(?<=/sources/)[\w-]{43}|(?<="createdAt": ")[^"]+')
# In epoch milliseconds; so late that its receipt does not expire.
SUBMITTED_AT = 9_000_000_000_000


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running_forge() as forge:
        yield forge


@pytest.fixture
def relay(start: Start, forge: Forge) -> Relay:
    """Two sites, and a workspace of no site; each has items named after it."""
    relay = start(REVIEW_URL_TEMPLATE=REVIEW_PAGE, FORGE_KEYS_URL=forge.keys_url)
    for workspace in (OURS, THEIRS, UNLINKED):
        fill(relay, workspace)
        key = {"pk": {"S": f"workspace#{workspace}"}, "sk": {"S": "key"}}
        relay.aws.dynamodb.put_item(
            TableName=relay.aws.environment["TENANTS_TABLE"],
            Item=key | {"key": {"S": KEYS[workspace]}},
        )
    acme, globex = relay.install(ACME), relay.install(GLOBEX)
    for connect, site in UNDER_FORGE.items():
        forge.tells_client_key(site, connect.client_key)
        assert ForgeCalls(relay, forge).install(site).id == id_of(relay, connect)
    relay.links.link(acme.id, OURS)
    relay.links.link(globex.id, THEIRS)
    # The other site has associated its own incident.
    path = "/entities/associated"
    body = {
        "entity": entity(at_site(f"incident-of-{THEIRS}", THEIRS)),
        "associatedWith": target(THEIRS),
    }
    assert relay.jira(GLOBEX, "PUT", path, body).status == 204
    return relay


@pytest.fixture(params=["connect", "forge"])
def call(request: pytest.FixtureRequest, relay: Relay, forge: Forge) -> SiteCall:
    """Make a site's call, under either identity."""

    def make(site: Site, route: Route, one: Call) -> Answer:
        if OPERATIONS[route].caller is Caller.ANYONE:
            return relay.call(route.method, one.url, one.body)
        if request.param == "connect":
            return relay.jira(site, route.method, one.url, one.body)
        token = forge.token(UNDER_FORGE[site], one.url.partition("?")[0])
        return ForgeCalls(relay, forge).call(one.url, token, one.body, route.method)

    return make


def fill(relay: Relay, workspace: str) -> None:
    relay.put_workspace(workspace)
    path = f"/v1/workspaces/{workspace}"
    container = {
        "id": f"container-of-{workspace}",
        "name": f"Service of {workspace}",
        "url": f"https://ops.example.com/s/{workspace}",
        "lastUpdatedDate": "2026-01-31T09:30:00Z",
    }
    webhook = {"url": f"http://127.0.0.1:1/{workspace}", "secret": f"whsec_{'A' * 32}"}
    assert relay.provider("POST", f"{path}/containers", {"containers": [container]}).status == 200
    assert relay.provider("PUT", f"{path}/webhook", webhook).status == 200
    source = {"kind": "alertmanager"}
    assert relay.provider("PUT", f"{path}/sources/source-of-{workspace}", source).status == 200
    incidents, reviews = [incident(f"incident-of-{workspace}")], [review(f"review-of-{workspace}")]
    relay.submit(workspace, incidents=incidents, reviews=reviews, properties={"of": workspace})
    states = (EntityState(Kind.REVIEW, reviews[0], {"of": workspace}),)
    again = packed(Message(workspace, f"submission-of-{workspace}", states, SUBMITTED_AT))
    relay.run_again(body for _, body in again)


def id_of(relay: Relay, site: Site) -> str:
    tenant = relay.tenants.find_by_client_key(site.client_key)
    assert tenant
    return tenant.id


def items_of_others(relay: Relay) -> list[Any]:
    """Every item in a partition of the other workspaces, or of the other site."""
    owners = {THEIRS, UNLINKED, id_of(relay, GLOBEX), GLOBEX.client_key, GLOBEX.base_url}
    owners |= {UNDER_FORGE[GLOBEX].installation_id, UNDER_FORGE[GLOBEX].cloud_id}
    dynamodb = relay.aws.dynamodb
    found = [
        item
        for table in dynamodb.list_tables()["TableNames"]
        for item in dynamodb.scan(TableName=table)["Items"]
        if owners.intersection(item["pk"]["S"].split("#"))
    ]
    assert len(found) > 20
    return sorted(found, key=str)


def without(answer: Answer, of: str) -> tuple[int, str, str]:
    """The response without the name that the caller itself sent, and what is new in each."""
    location = answer.headers.get("Location", "")
    body = ADDRESS_OR_TIME.sub("…", answer.body)
    told = [text.replace(KEYS[of], "…").replace(of, "…") for text in (body, location)]
    return answer.status, told[0], told[1]


def test_every_route_is_in_one_table() -> None:
    in_template = {
        Route(method, path.replace("+}", "}"))
        for name in functions()
        for method, path in routes(name)
        # HEAD is answered like GET; the scanner's tests call it everywhere.
        if path != "*" and method != "HEAD"
    }
    tables: list[set[Route]] = [
        set(NAMING),
        PROVEN_BY_WHAT_THEY_NAME,
        OF_FORGES_OWN,
        OF_THE_PAGE,
        FOR_ANYONE_WITHOUT_IDS,
        set(OF_A_WORKSPACE),
        set(FOR_A_KEY_TO_ALL),
        OF_A_LINKED_SITE,
        OF_EVERY_KEYS_OWN,
    ]
    assert set().union(*tables) == in_template
    assert sum(map(len, tables)) == len(in_template)


# --- Sites ---


def test_a_site_learns_nothing_about_other_sites_data(
    relay: Relay, call: SiteCall, subtests: pytest.Subtests
) -> None:
    for route, naming in NAMING.items():
        before = items_of_others(relay)
        nobodys = [without(call(ACME, route, one), NOBODYS) for one in naming(NOBODYS)]
        for of in (THEIRS, UNLINKED):
            with subtests.test(route=str(route), of=of):
                answers = [without(call(ACME, route, one), of) for one in naming(of)]
                assert answers == nobodys
        with subtests.test(route=str(route), of="nothing changed"):
            assert items_of_others(relay) == before


def test_each_call_answers_the_site_that_it_belongs_to(
    call: SiteCall, subtests: pytest.Subtests
) -> None:
    """Otherwise the test above could not fail: one's own ids are answered differently."""
    for route, naming in NAMING.items():
        if route.method == "PUT" or OPERATIONS[route].caller is Caller.ANYONE:
            continue
        with subtests.test(route=str(route)):
            nobodys = [without(call(GLOBEX, route, one), NOBODYS) for one in naming(NOBODYS)]
            theirs = [without(call(GLOBEX, route, one), THEIRS) for one in naming(THEIRS)]
            assert all(one != other for one, other in zip(theirs, nobodys, strict=True))


def test_a_sites_claims_about_other_sites_reach_nobody(
    relay: Relay, call: SiteCall, aws: Aws
) -> None:
    """No webhook is called, and no workspace is shown it."""
    queue = aws.environment["NOTICES_QUEUE"]
    aws.sqs.purge_queue(QueueUrl=queue)
    shown = {of: sites_of(relay, of) for of in (THEIRS, UNLINKED)}
    for of in (THEIRS, UNLINKED):
        for what in ("associated", "disassociated"):
            (one,) = NAMING[Route("PUT", f"/entities/{what}")](of)
            assert call(ACME, Route("PUT", one.url), one).status == 204
    assert {of: sites_of(relay, of) for of in (THEIRS, UNLINKED)} == shown
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=queue)


def sites_of(relay: Relay, workspace: str) -> Any:
    path = f"/v1/workspaces/{workspace}/incidents/incident-of-{workspace}"
    return relay.provider("GET", path).json()["sites"]


def test_a_token_of_one_site_is_not_accepted_as_anothers(relay: Relay) -> None:
    """Signed with one site's secret in another's name, or by an uninstalled site."""
    url = "/containers/search?searchQuery=Service"
    forged = signed_callback(ACME.secret, claims(GLOBEX.client_key, "GET", url))
    answers = [
        relay.call("GET", url, None, {"authorization": f"JWT {forged}"}),
        relay.jira(Site("nobody-at-all", "https://x.atlassian.net", ACME.secret), "GET", url),
    ]
    assert id_of(relay, GLOBEX)
    assert {(answer.status, answer.body) for answer in answers} == {
        (answers[0].status, answers[0].body)
    }
    assert answers[0].status == 401


# --- Keys ---


def url_of(operation: Operation, workspace: str, things_of: str) -> str:
    """The first example's URL, with this workspace and that workspace's items."""
    example = operation.examples[0]
    values = dict(example.path) | {
        "workspaceId": workspace,
        "containerId": f"container-of-{things_of}",
        "incidentId": f"incident-of-{things_of}",
        "reviewId": f"review-of-{things_of}",
        "submissionId": f"{SUBMITTED_AT}-submission-of-{things_of}",
        # The example makes a source of another kind.
        "sourceId": f"{'new-' * (operation.id == 'putSource')}source-of-{things_of}",
        "site": "0" * 32,
    }
    path = operation.route.path
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    query = "&".join(f"{name}={value}" for name, value in example.query.items())
    return f"{path}?{query}".rstrip("?").replace("region=eu", f"of={things_of}")


def test_a_key_for_one_workspace_opens_no_route_of_another(
    relay: Relay, aws: Aws, subtests: pytest.Subtests
) -> None:
    key = relay.key_for(OURS)
    for operation in OF_A_WORKSPACE.values():
        body = operation.examples[0].body
        before = items_of_others(relay)
        answers = {
            of: relay.provider(operation.route.method, url_of(operation, of, of), body, key)
            for of in (NOBODYS, THEIRS, UNLINKED)
        }
        with subtests.test(operation=operation.id):
            for of, answer in answers.items():
                assert (answer.status, answer.error_code) == (403, "forbidden")
                assert without(answer, of) == without(answers[NOBODYS], NOBODYS)
            assert items_of_others(relay) == before
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=aws.environment["SUBMISSIONS_QUEUE"])


def test_each_call_works_with_a_key_for_the_workspace(
    relay: Relay, subtests: pytest.Subtests
) -> None:
    """Otherwise the test above could not fail. Deletes come last, the workspace after its
    contents; an erasure follows, which a key for all begins.
    """
    key = relay.key_for(THEIRS)
    order = ["GET", "POST", "PUT", "DELETE"]
    for operation in sorted(
        OF_A_WORKSPACE.values(),
        key=lambda one: (
            one.id == "getErasure",
            order.index(one.route.method),
            one.id == "deleteWorkspace",
        ),
    ):
        if operation.id == "getErasure":
            assert relay.provider("DELETE", f"/v1/workspaces/{THEIRS}?erase=true").status == 202
        with subtests.test(operation=operation.id):
            example = operation.examples[0]
            url = url_of(operation, THEIRS, THEIRS)
            answer = relay.provider(operation.route.method, url, example.body, key)
            assert answer.status == example.status, answer.body


def test_an_id_of_another_workspace_is_not_found_in_ones_own(
    relay: Relay, subtests: pytest.Subtests
) -> None:
    key = relay.key_for(OURS)
    named = [
        operation
        for operation in OF_A_WORKSPACE.values()
        if any(f"{{{thing}}}" in operation.route.path for thing in THINGS)
    ]
    assert len(named) >= 8
    for operation in named:
        body = operation.examples[0].body
        before = items_of_others(relay)
        method = operation.route.method
        nobodys = relay.provider(method, url_of(operation, OURS, NOBODYS), body, key)
        for of in (THEIRS, UNLINKED):
            with subtests.test(operation=operation.id, of=of):
                answer = relay.provider(method, url_of(operation, OURS, of), body, key)
                assert without(answer, of) == without(nobodys, NOBODYS)
        with subtests.test(operation=operation.id, of="nothing changed"):
            assert items_of_others(relay) == before


def test_a_key_for_one_workspace_deletes_by_properties_in_it_only(relay: Relay) -> None:
    key = relay.key_for(OURS)
    path = f"/v1/workspaces/{OURS}/entities?of={THEIRS}"
    assert relay.provider("DELETE", path, key=key).json() == {"deleted": 0}
    assert relay.provider("DELETE", path.replace(THEIRS, OURS), key=key).json() == {"deleted": 2}
    listed = relay.provider("GET", f"/v1/workspaces/{THEIRS}/entities").json()["entities"]
    assert [one["deleted"] for one in listed] == [False, False]


def test_a_key_for_one_workspace_changes_no_site_and_reads_no_keys(
    relay: Relay, subtests: pytest.Subtests
) -> None:
    key = relay.key_for(OURS)
    site = id_of(relay, ACME)
    before = relay.stored()
    for operation in FOR_A_KEY_TO_ALL.values():
        body = operation.examples[0].body
        unknown = url_of(operation, OURS, OURS)
        with subtests.test(operation=operation.id):
            answers = [
                relay.provider(operation.route.method, url, body, key)
                for url in (unknown, unknown.replace("0" * 32, site))
            ]
            assert {answer.status for answer in answers} == {403}
            assert len({answer.body for answer in answers}) == 1
            assert relay.stored() == before


def test_a_site_without_a_workspace_of_the_key_is_not_found(
    relay: Relay, subtests: pytest.Subtests
) -> None:
    """Whether the workspace is linked to another site, to none, or unknown; an offer is no link."""
    acme, globex = id_of(relay, ACME), id_of(relay, GLOBEX)
    relay.links.offer(globex, OURS)
    strangers = {
        globex: [relay.key_for(OURS), relay.key_for(OURS, UNLINKED, NOBODYS)],
        acme: [relay.key_for(THEIRS), relay.key_for(UNLINKED), relay.key_for(NOBODYS)],
    }
    for route in OF_A_LINKED_SITE:
        for site, keys in strangers.items():
            for key in keys:
                with subtests.test(route=str(route), site=site):
                    answers = [
                        relay.provider("GET", route.path.replace("{site}", one), key=key)
                        for one in (site, "0" * 32, "no id of a site")
                    ]
                    assert [answer.status for answer in answers] == [404] * 3
                    assert {answer.error_code for answer in answers} == {"unknown_site"}
                    told = [answers[0].body.replace(site, "0" * 32), answers[1].body]
                    assert told[0] == told[1]


def test_each_call_answers_a_key_of_a_linked_workspace(relay: Relay) -> None:
    """Otherwise the test above could not fail. The links are requested from Jira, which is
    unreachable.
    """
    key, path = relay.key_for(OURS), f"/v1/sites/{id_of(relay, ACME)}"
    assert relay.provider("GET", path, key=key).json()["baseUrl"] == ACME.base_url
    assert relay.provider("GET", f"{path}/replay", key=key).json() == {"replays": []}
    assert relay.provider("GET", f"{path}/workspaces", key=key).status == 503


def own_view(relay: Relay, key: str) -> list[str]:
    """Everything that a key for one's own workspace reads about sites without calling Jira."""
    acme = id_of(relay, ACME)
    paths = [
        "/v1/sites",
        "/v1/sites?limit=1",
        f"/v1/sites/{acme}",
        f"/v1/sites/{acme}/replay",
        f"/v1/sites/{acme}/replay?limit=1",
        f"/v1/workspaces/{OURS}/sites",
    ]
    answers = [relay.provider("GET", path, key=key) for path in paths]
    assert {answer.status for answer in answers} == {200}
    return [answer.body for answer in answers]


def test_others_at_a_shared_site_do_not_change_ones_own_view(relay: Relay) -> None:
    """They are linked, replayed, owed and offered there; sites are shown only to their own
    workspaces.
    """
    acme, key = id_of(relay, ACME), relay.key_for(OURS)
    before = own_view(relay, key)
    debts = DebtStore(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])
    for other in (THEIRS, UNLINKED):
        relay.links.link(acme, other)
        debts.owe(other, acme, [EntityKey(Kind.INCIDENT, f"incident-of-{other}")], "no reason")
    relay.links.offer(acme, NOBODYS)
    # By a key for all workspaces, as it starts a replay.
    path = f"/v1/sites/{acme}/replay"
    for other in (THEIRS, UNLINKED):
        begun = relay.provider("POST", path, {"what": "all", "workspaceId": other})
        assert begun.status == 202
    assert len(relay.provider("GET", path).json()["replays"]) == 2
    after = own_view(relay, key)
    assert after == before
    for told in (THEIRS, UNLINKED, id_of(relay, GLOBEX), GLOBEX.base_url, ACME.client_key):
        assert told not in "".join(after)


def test_a_sites_messages_about_others_are_not_shown(relay: Relay) -> None:
    """They may contain others' data. The kind of trouble and its end concern everyone."""
    acme, key = id_of(relay, ACME), relay.key_for(OURS)
    environment, dynamodb = relay.aws.environment, relay.aws.dynamodb
    words = f"Jira answered 429: no more of incident-of-{THEIRS}: wait"
    trouble = Trouble(
        "rate_limited", words, False, 1_000, 2_000, 9_999_999_999_999, attempts=3, status=429
    )
    assert TroubleStore(dynamodb, environment["TENANTS_TABLE"]).put(acme, trouble, None)
    assert relay.provider("POST", f"/v1/sites/{acme}/replay", {"what": "all"}).status == 202
    dynamodb.update_item(
        TableName=environment["TENANTS_TABLE"],
        Key={"pk": {"S": f"tenant#{acme}"}, "sk": {"S": f"replay#{OURS}"}},
        UpdateExpression="SET reason = :words",
        ExpressionAttributeValues={":words": {"S": words}},
    )
    told = own_view(relay, key)
    assert THEIRS not in "".join(told)
    site = relay.provider("GET", f"/v1/sites/{acme}", key=key).json()
    assert site == {
        "id": acme,
        "baseUrl": ACME.base_url,
        "state": "slowed",
        "trouble": {
            "code": "rate_limited",
            "message": "Jira answered 429",
            "since": "1970-01-01T00:00:01.000+00:00",
            "at": "1970-01-01T00:00:02.000+00:00",
            "until": "2286-11-20T17:46:39.999+00:00",
            "attempts": 3,
            "status": 429,
        },
    }
    [replay] = relay.provider("GET", f"/v1/sites/{acme}/replay", key=key).json()["replays"]
    assert replay["reason"] == "Jira answered 429"
    [own] = relay.provider("GET", f"/v1/workspaces/{OURS}/sites", key=key).json()["sites"]
    assert own == site | {"owed": 0, "replay": replay}
    # A key for all workspaces has them in full.
    assert relay.provider("GET", f"/v1/sites/{acme}").json()["trouble"]["message"] == words


def test_a_key_lists_only_the_sites_of_its_own_workspaces(relay: Relay) -> None:
    acme, globex = id_of(relay, ACME), id_of(relay, GLOBEX)

    def listed(*workspaces: str, query: str = "") -> list[str]:
        key = relay.key_for(*workspaces)
        page = relay.provider("GET", f"/v1/sites{query}", key=key).json()
        return [one["id"] for one in page["sites"]]

    assert listed(OURS) == [acme]
    assert listed(THEIRS, NOBODYS) == [globex]
    assert listed(UNLINKED) == listed(NOBODYS) == []
    first, second = sorted((acme, globex))
    assert listed(OURS, THEIRS) == [first, second]
    assert listed(OURS, THEIRS, query="?limit=1") == [first]
    assert listed(OURS, THEIRS, query=f"?limit=1&after={first}") == [second]
    assert listed(OURS, THEIRS, query=f"?after={second}") == []


# The calls that change a site's replays and links, naming the key's own ids and others'.
STARTS: Mapping[str, Callable[[str, str], list[Any]]] = {
    "replay": lambda *_: [
        {},
        {"what": "all"},
        {"since": "2026-01-31T09:30:00Z"},
        *({"what": "all", "workspaceId": of} for of in (OURS, THEIRS, NOBODYS)),
        {"nonsense": True},
    ],
    "move": lambda acme, globex: [{"to": to} for to in (acme, globex, "0" * 32)],
}


@pytest.mark.parametrize("what", STARTS)
def test_a_key_for_one_workspace_cannot_replay_or_move_links_of_others(
    relay: Relay, aws: Aws, what: str
) -> None:
    """Not even at the site linked to its own workspace."""
    acme, globex = id_of(relay, ACME), id_of(relay, GLOBEX)
    for key in (relay.key_for(OURS), relay.key_for(OURS, THEIRS)):
        before = relay.stored()
        answers = [
            relay.provider("POST", f"/v1/sites/{site}/{what}", body, key)
            for site in (acme, globex, "0" * 32)
            for body in STARTS[what](acme, globex)
        ]
        assert {(answer.status, answer.error_code) for answer in answers} == {(403, "forbidden")}
        assert len({answer.body for answer in answers}) == 1
        assert relay.stored() == before
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=aws.environment["REPLAYS_QUEUE"])


def test_a_key_sees_only_replays_of_its_own_workspaces(relay: Relay) -> None:
    """By a key for all: a replay of one site starts nothing at another."""
    sites = {OURS: id_of(relay, ACME), THEIRS: id_of(relay, GLOBEX)}

    def shown(site: str) -> list[str]:
        replays = relay.provider("GET", f"/v1/sites/{site}/replay").json()["replays"]
        return [replay["workspaceId"] for replay in replays]

    others = relay.provider(
        "POST", f"/v1/sites/{sites[OURS]}/replay", {"what": "all", "workspaceId": THEIRS}
    )
    assert (others.status, others.error_code) == (404, "unknown_link")
    assert {of: shown(site) for of, site in sites.items()} == {OURS: [], THEIRS: []}

    assert relay.provider("POST", f"/v1/sites/{sites[OURS]}/replay", {}).status == 202
    assert {of: shown(site) for of, site in sites.items()} == {OURS: [OURS], THEIRS: []}


def test_a_key_lists_only_its_own_workspaces(relay: Relay) -> None:
    def listed(key: str = "") -> list[str]:
        found = relay.provider("GET", "/v1/workspaces", key=key).json()["workspaces"]
        return [one["id"] for one in found]

    assert listed() == [OURS, THEIRS, UNLINKED]
    assert listed(relay.key_for(OURS, NOBODYS)) == [OURS]
    assert listed(relay.key_for(NOBODYS)) == []


def test_an_unauthenticated_caller_does_not_learn_what_exists(
    relay: Relay, subtests: pytest.Subtests
) -> None:
    """Without a token and with a forged one: the same response, whether or not the id exists."""
    made_up = f"relay_{'0' * 16}_{'x' * 43}"
    for route, operation in OPERATIONS.items():
        if operation.caller is Caller.PROVIDER:
            with subtests.test(operation=operation.id):
                answers = {
                    (answer.status, answer.body)
                    for of in (OURS, NOBODYS)
                    for headers in ({}, {"authorization": f"Bearer {made_up}"})
                    for answer in [
                        relay.call(route.method, url_of(operation, of, of), b"{", headers | JSON)
                    ]
                }
                assert len(answers) == 1
                assert answers.pop()[0] == 401
