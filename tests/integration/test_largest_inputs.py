"""The largest stored values through every route that shows them: a response never exceeds Lambda's
limit, and lists are complete. The tests' gateway refuses what AWS would.
"""

import gzip
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest

from relay import keys
from relay.catalog.containers import Container, ContainerStore
from relay.catalog.workspaces import WorkspaceDocument, WorkspaceStore
from relay.entities.association import Target
from relay.entities.fields import DESCRIPTION_MAX, ID_MAX, TEXT_MAX, URL_MAX
from relay.entities.model import EntityKey, Kind
from relay.identity.api_keys import ApiKeys
from relay.jira.answers import MESSAGE_LENGTH_MAX, MESSAGES_MAX
from relay.provider.tracking import ASSOCIATIONS_SHOWN_MAX
from relay.record.associations import AssociationStore
from relay.record.debts import DebtStore, Postponement
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.store import RecordStore
from relay.table import key as table_key
from relay.tenants.replay import Replay, ReplayScope, Stage
from relay.tenants.replays import ReplayStore
from relay.tenants.tenant import Tenant
from relay.tenants.troubles import Trouble, TroubleStore
from tests.integration.relay_stage import JSON, Relay, Start
from tests.support.aws_limits import TRANSACTION_BYTES_MAX, item_bytes
from tests.support.entities import incident
from tests.support.lifecycle import Site
from tests.support.quick_transactions import quick_transactions

# Four bytes, or twelve in an ASCII response.
FIRE = "\U0001f525"
LONG_URL = "https://ops.example.com/".ljust(URL_MAX, "x")
WORDS = (FIRE * MESSAGE_LENGTH_MAX,) * MESSAGES_MAX
SUBMISSIONS = "/v1/workspaces/payments/submissions"


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments")


@pytest.fixture
def record(relay: Relay) -> RecordStore:
    store = RecordStore(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])
    quick_transactions(relay.aws.dynamodb)
    return store


def installed(relay: Relay, number: int = 1) -> tuple[Site, Tenant]:
    site = Site(f"client-key-{number}", f"https://site-{number}.atlassian.net")
    return site, relay.install(site)


def all_pages(relay: Relay, path: str, name: str) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    after = ""
    while True:
        answer = relay.provider("GET", f"{path}{after}")
        assert answer.status == 200, answer.body[:200]
        document = answer.json()
        pages.append(document[name])
        if "next" not in document:
            return pages
        assert document[name], "an empty page before the last"
        after = f"?after={quote(document['next'])}"


def shown(pages: Sequence[Sequence[dict[str, Any]]], name: str = "id") -> list[str]:
    assert len(pages) > 1, "the list is no larger than an answer"
    return [one[name] for page in pages for one in page]


# --- Input ---


def test_four_mebibytes_fit_in_gzip_whatever_their_content(relay: Relay) -> None:
    """A quote has two bytes as JSON in the body, and four in Lambda's event."""
    quotes = [incident(f"i-{number}", description='"' * DESCRIPTION_MAX) for number in range(400)]
    body = json.dumps({"incidents": quotes}).encode()
    assert 4_000_000 < len(body) < 4 * 1024 * 1024
    headers = {"authorization": f"Bearer {relay.api_key}"} | JSON

    plain = relay.gateway.answer("POST", SUBMISSIONS, body.decode(), headers)
    packed = relay.call(
        "POST", SUBMISSIONS, gzip.compress(body), headers | {"content-encoding": "gzip"}
    )

    # The gateway's own message, not Relay's.
    assert (plain["statusCode"], json.loads(plain["body"]).keys()) == (413, {"message"})
    assert (packed.status, packed.json()["accepted"]) == (202, 400)


# --- Lists ---


def test_a_list_of_entities_is_cut_by_the_size_of_jiras_messages(
    relay: Relay, record: RecordStore
) -> None:
    ids = [f"i-{number:03}" for number in range(100)]
    relay.submit("payments", incidents=[incident(one) for one in ids])
    for number in range(3):
        _, tenant = installed(relay, number)
        relay.links.link(tenant.id, "payments")
        keys = [EntityKey(Kind.INCIDENT, one) for one in ids]
        refused = [Outcome(key, 1, OutcomeState.REJECTED, WORDS) for key in keys]
        record.save_outcomes("payments", tenant.id, refused)

    found = shown(all_pages(relay, "/v1/workspaces/payments/entities", "entities"))
    assert sorted(found) == ids


def test_a_list_of_containers_is_cut_by_the_size_of_their_texts(relay: Relay) -> None:
    ids = [f"c-{number:03}" for number in range(100)]
    store = ContainerStore(relay.aws.dynamodb, relay.aws.environment["CATALOG_TABLE"])
    texts = {"description": FIRE * DESCRIPTION_MAX, "url": LONG_URL, "avatarUrl": LONG_URL}
    dated = {"name": "c", "lastUpdatedDate": "2026-01-31T09:30:00Z"}
    found = [Container.model_validate({"id": one} | dated | texts) for one in ids]
    store.put_all("payments", found)

    assert shown(all_pages(relay, "/v1/workspaces/payments/containers", "containers")) == ids


def test_a_list_of_sites_is_cut_by_the_size_of_their_troubles(relay: Relay) -> None:
    troubles = TroubleStore(relay.aws.dynamodb, relay.aws.environment["TENANTS_TABLE"])
    ids = []
    for number in range(60):
        _, tenant = installed(relay, number)
        ids.append(tenant.id)
        trouble = Trouble("rate_limited", "; ".join(WORDS), False, 1, 1, 1, 1)
        assert troubles.put(tenant.id, trouble, None)

    assert shown(all_pages(relay, "/v1/sites", "sites")) == sorted(ids)


def test_a_list_of_keys_is_cut_by_the_number_of_their_workspaces(relay: Relay) -> None:
    keys = ApiKeys(relay.aws.dynamodb, relay.aws.environment["API_KEYS_TABLE"])
    workspaces = [f"{number:04}".ljust(128, "x") for number in range(1000)]
    made = [keys.issue(workspaces).split("_")[1] for _ in range(50)]

    listed = shown(all_pages(relay, "/v1/keys", "keys"))

    assert sorted(listed) == sorted([*made, relay.api_key.split("_")[1]])


def test_a_list_of_replays_is_cut_by_the_size_of_their_reasons(relay: Relay) -> None:
    _, tenant = installed(relay)
    store = ReplayStore(relay.aws.dynamodb, relay.aws.environment["TENANTS_TABLE"])
    ids = [f"w-{number:03}" for number in range(60)]
    for one in ids:
        replay = Replay(
            tenant.id, one, scope=ReplayScope.OWED, stage=Stage.WALK, reason="; ".join(WORDS)
        )
        store.start(replay, 0)

    assert shown(all_pages(relay, f"/v1/sites/{tenant.id}/replay", "replays"), "workspaceId") == ids


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_any_length_show_each_item_once(relay: Relay, limit: int) -> None:
    sites = sorted(installed(relay, number)[1].id for number in range(3))
    keys = sorted([relay.key_for("payments").split("_")[1], relay.api_key.split("_")[1]])
    store = ReplayStore(relay.aws.dynamodb, relay.aws.environment["TENANTS_TABLE"])
    for one in ("a", "b", "c"):
        store.start(Replay(sites[0], one, scope=ReplayScope.OWED), 0)

    for path, name, of_each, expected in (
        ("/v1/sites", "sites", "id", sites),
        ("/v1/keys", "keys", "id", keys),
        (f"/v1/sites/{sites[0]}/replay", "replays", "workspaceId", ["a", "b", "c"]),
    ):
        listed: list[str] = []
        query = f"?limit={limit}"
        while query:
            page = relay.provider("GET", f"{path}{query}").json()
            assert len(page[name]) <= limit
            listed += [one[of_each] for one in page[name]]
            query = f"?limit={limit}&after={page['next']}" if "next" in page else ""
        assert sorted(listed) == expected


def test_an_invalid_cursor_is_refused(relay: Relay) -> None:
    _, tenant = installed(relay)
    for path, after in (
        ("/v1/keys", "x"),
        ("/v1/sites", FIRE * (ID_MAX + 1)),
        (f"/v1/sites/{tenant.id}/replay", FIRE * ID_MAX),
    ):
        for query in (f"after={quote(after)}", "limit=0", "limit=101"):
            answer = relay.provider("GET", f"{path}?{query}")
            assert (answer.status, answer.error_code) == (400, "bad_request"), (path, query)


# --- Lists without pages ---


def test_a_workspace_search_is_limited_by_the_size_of_its_response(
    relay: Relay,
) -> None:
    site, tenant = installed(relay)
    store = WorkspaceStore(relay.aws.dynamodb, relay.aws.environment["CATALOG_TABLE"])
    document = WorkspaceDocument(name=FIRE * TEXT_MAX, url=LONG_URL, avatarUrl=LONG_URL)
    ids = [f"w-{number:04}" for number in range(900)]
    for one in ids:
        store.put(one, document)
        relay.links.offer(tenant.id, one)

    found = relay.jira(site, "GET", "/workspaces/fetch")
    few = relay.jira(site, "POST", "/workspaces/fetch", {"ids": ids[:500]})
    many = relay.jira(site, "POST", "/workspaces/fetch", {"ids": ids})

    listed = [one["id"] for one in found.json()["workspaces"]]
    assert (found.status, listed) == (200, ids[: len(listed)])
    assert 500 < len(listed) < 900
    assert [one["id"] for one in few.json()["workspaces"]] == ids[:500]
    assert (many.status, many.error_code) == (413, "answer_too_large")


def test_an_entity_shows_a_limited_number_of_associations_and_says_if_there_are_more(
    relay: Relay, record: RecordStore
) -> None:
    del record
    _, tenant = installed(relay)
    relay.links.link(tenant.id, "payments")
    ids = ("few", "all", "many", "large")
    relay.submit("payments", incidents=[incident(one) for one in ids])
    store = AssociationStore(relay.aws.dynamodb, relay.aws.environment["RECORD_TABLE"])

    def associated(entity_id: str, count: int, text: str) -> tuple[int, bool]:
        """The number of associations shown, and whether the entity says that there are more."""
        for number in range(count):
            ari = f"{number:04}{text}"
            target = Target(ati=ari, ari=ari, id=ari)
            store.put(tenant.id, EntityKey(Kind.INCIDENT, relay.at_site(entity_id)), target)
        path = f"/v1/workspaces/payments/incidents/{entity_id}"
        [at_site] = relay.provider("GET", path).json()["sites"]
        return len(at_site["associations"]), at_site.get("moreAssociations", False)

    longest = FIRE * 1996
    assert associated("few", 3, longest) == (3, False)
    assert associated("all", ASSOCIATIONS_SHOWN_MAX, "") == (ASSOCIATIONS_SHOWN_MAX, False)
    assert associated("many", ASSOCIATIONS_SHOWN_MAX + 1, "") == (ASSOCIATIONS_SHOWN_MAX, True)
    shown, more = associated("large", ASSOCIATIONS_SHOWN_MAX, longest)
    assert (3 < shown < ASSOCIATIONS_SHOWN_MAX, more) == (True, True)


# --- Storage ---


def test_a_transaction_holds_a_hundred_of_the_largest_debts_and_outcomes(
    relay: Relay, record: RecordStore
) -> None:
    """Updates and deletions, too: DynamoDB counts the existing item."""
    _, tenant = installed(relay)
    table = relay.aws.environment["RECORD_TABLE"]
    debts = DebtStore(relay.aws.dynamodb, table)
    entities = [
        EntityKey(Kind.INCIDENT, f"{number:03}".ljust(ID_MAX, FIRE)) for number in range(100)
    ]
    project_keys = tuple(f"{number:03}".ljust(TEXT_MAX, FIRE) for number in range(100))

    reason = "; ".join(WORDS)
    debts.owe("payments", tenant.id, entities, reason)
    assert_one_transaction(relay, table)
    delays = [Postponement(keys.entity_sk(key), reason, 1, 0) for key in entities]
    debts.postpone("payments", tenant.id, delays)
    assert_one_transaction(relay, table)
    # As documented.
    assert {len(debt.reason) for debt in debts.of_link("payments", tenant.id).all()} == {2000}

    for debt in list(debts.of_link("payments", tenant.id).all()):
        key = table_key(*keys.debt("payments", tenant.id, debt.sk))
        relay.aws.dynamodb.delete_item(TableName=table, Key=key)
    outcomes = [Outcome(key, 1, OutcomeState.REJECTED, WORDS, project_keys) for key in entities]
    record.save_outcomes("payments", tenant.id, outcomes)
    assert_one_transaction(relay, table)


def assert_one_transaction(relay: Relay, table: str) -> None:
    pages = relay.aws.dynamodb.get_paginator("scan").paginate(TableName=table)
    sizes = [item_bytes(item) for page in pages for item in page["Items"]]
    assert len(sizes) == 100
    assert sum(sizes) <= TRANSACTION_BYTES_MAX
