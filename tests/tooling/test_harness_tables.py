"""The benchmarks' tables answer like an emulated DynamoDB in everything that Relay asks."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from infra.bench.sample import incidents, states
from infra.harness.serving import serving
from infra.harness.tables import Tables
from infra.harness.tables_server import handler_of
from infra.lambdas.stores import create_stores
from relay.catalog.containers import Container, ContainerStore
from relay.entities.model import EntityKey, Kind
from relay.record.debts import DebtStore
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.retention import RetentionStore
from relay.record.store import RecordStore
from relay.tenants.replay import Replay, ReplayScope, Stage
from relay.tenants.replays import ReplayStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WORKSPACE, TENANT = "ws-1", "tenant-1"
RECORD, CATALOG, TENANTS = "RecordTable", "CatalogTable", "TenantsTable"


@pytest.fixture
def emulated() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        session = boto3.Session("test", "test", region_name="eu-west-1")
        dynamodb = session.client("dynamodb")
        create_stores(dynamodb, session.client("sqs"), session.client("kms"))
        yield dynamodb
        dynamodb.close()


@pytest.fixture
def ours() -> Iterator["DynamoDBClient"]:
    with closing(Tables()) as tables, serving(handler_of(tables)) as address:
        session = boto3.Session("test", "test", region_name="eu-west-1")
        dynamodb = session.client("dynamodb", endpoint_url=f"http://{address}")
        yield dynamodb
        dynamodb.close()


def recorded(dynamodb: "DynamoDBClient") -> list[Any]:
    """A record after new, equal, newer and older states, a deletion, outcomes and debts."""
    record = RecordStore(dynamodb, RECORD)
    debts = DebtStore(dynamodb, RECORD)
    first, same = record.put_newest(WORKSPACE, states(5)), record.put_newest(WORKSPACE, states(3))
    mixed = record.put_newest(WORKSPACE, [*states(2, sequence=3), *states(4, sequence=0)])
    keys = [EntityKey(Kind.INCIDENT, one["id"]) for one in incidents(5)]
    record.delete(WORKSPACE, keys[4])
    outcome = Outcome(keys[0], 3, OutcomeState.ACCEPTED, generation=2)
    older = replace(outcome, sequence=1, state=OutcomeState.REJECTED)
    record.save_outcomes(WORKSPACE, TENANT, [outcome])
    record.save_outcomes(WORKSPACE, TENANT, [older, replace(outcome, key=keys[1])])
    debts.owe(WORKSPACE, TENANT, keys[:3], "first")
    debts.owe(WORKSPACE, TENANT, keys[:1], "second")
    noted = debts.of_link(WORKSPACE, TENANT).page(Kind.INCIDENT, 2)
    debts.owe(WORKSPACE, TENANT, keys[1:2], "third")
    debts.paid(WORKSPACE, TENANT, noted)
    left = debts.of(WORKSPACE, TENANT, keys)
    leaving = record.heads_of(WORKSPACE, keys[3:4])
    removed = RetentionStore(dynamodb, RECORD).remove(WORKSPACE, leaving, 1)
    return [
        removed,
        record.put_newest(WORKSPACE, states(4, sequence=0)[3:]).outdated,
        first,
        same,
        mixed,
        [replace(one, recorded_at="", deleted_at=None) for one in record.entries(WORKSPACE)],
        [one.key.id for one in record.entries(WORKSPACE, keys[1], 2, Kind.INCIDENT)],
        [replace(one, recorded_at="", deleted_at=None) for one in record.heads(WORKSPACE, limit=3)],
        sorted(one.key.id for one in record.heads_of(WORKSPACE, keys) if not one.is_deleted),
        record.count(WORKSPACE),
        record.count(WORKSPACE, keys[2]),
        list(record.outcomes(WORKSPACE, TENANT)),
        [(one.key.id, one.reason) for one in left.values()],
        record.get(WORKSPACE, EntityKey(Kind.REVIEW, "nobody")),
    ]


def replayed(dynamodb: "DynamoDBClient") -> list[Any]:
    """A replay that is started, owed, leased, saved and ended, each by its own run only."""
    replays = ReplayStore(dynamodb, TENANTS)
    fresh = Replay(
        TENANT,
        WORKSPACE,
        run="run-1",
        scope=ReplayScope.ALL,
        why="linked",
        stage=Stage.COUNT,
        due=5,
        started_at=1,
        updated_at=1,
    )
    begun = replays.start(fresh, 1)
    noticed = [replays.owe(fresh), replays.owe(fresh)]
    taken = replays.lease(begun, 10, 100)
    again = replays.lease(begun, 11, 100)
    kept = replays.save(replace(begun, cursor="inc#a", reason=None, updated_at=20))
    strange = replays.save(replace(begun, run="run-2"))
    ended_too_soon = replays.end(begun, 30)
    there = replays.get(TENANT, WORKSPACE)
    assert there
    ended = replays.end(there, 31)
    anew = replays.start(replace(fresh, run="run-3"), 1)
    hastened = replays.continue_now(anew, 3)
    return [
        begun,
        noticed,
        taken,
        again,
        kept,
        strange,
        ended_too_soon,
        ended,
        anew,
        hastened,
        replays.get(TENANT, WORKSPACE),
    ]


def searched(dynamodb: "DynamoDBClient") -> list[Any]:
    """Searches after one container was renamed and another deleted."""
    containers = ContainerStore(dynamodb, CATALOG)
    made = [
        Container(
            id=f"c{number}",
            name=f"svc-{number:03}",
            url="https://ops.example.com",
            lastUpdatedDate=f"2026-01-{number % 28 + 1:02}T09:30:00Z",
        )
        for number in range(30)
    ]
    containers.put_all(WORKSPACE, made)
    containers.put_all(WORKSPACE, [made[7].model_copy(update={"name": "Checkout"})])
    containers.delete(WORKSPACE, "c8")
    found = [containers.search([WORKSPACE], text) for text in ("svc", "007", "008", "out", "z", "")]
    return [*found, containers.page(WORKSPACE, "c3", 4)]


@pytest.mark.parametrize("work", [recorded, replayed, searched])
def test_the_tables_answer_as_dynamodb_does(
    work: Any, ours: "DynamoDBClient", emulated: "DynamoDBClient"
) -> None:
    assert work(ours) == work(emulated)


def test_a_page_ends_after_a_megabyte(ours: "DynamoDBClient") -> None:
    for number in range(4):
        item: Any = {"pk": {"S": "a"}, "sk": {"S": str(number)}, "text": {"S": "x" * 390_000}}
        ours.put_item(TableName=CATALOG, Item=item)
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}
    page = ours.query(TableName=CATALOG, **query)  # type: ignore[arg-type]
    assert page["Count"] == 3
    rest = ours.query(TableName=CATALOG, ExclusiveStartKey=page["LastEvaluatedKey"], **query)  # type: ignore[arg-type]
    assert [item["sk"]["S"] for item in rest["Items"]] == ["3"]
