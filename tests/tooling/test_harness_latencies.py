"""The latencies of the benchmarks: their distribution, and which call they delay."""

import random
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSHTTPConnection

from infra.harness.latencies import LATENCIES, Draws, Latency, install, items_of, operation_of
from infra.harness.serving import serving
from infra.harness.tables import Tables
from infra.harness.tables_server import handler_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SECONDS = {"dynamodb.GetItem": Latency(60_000, 60_001, ""), "sqs.SendMessage": Latency(1, 2, "")}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that calls ask for; nothing sleeps."""
    for name in ("request", "getresponse"):
        monkeypatch.setattr(AWSHTTPConnection, name, getattr(AWSHTTPConnection, name))
    found: list[float] = []
    install(Draws("seed", SECONDS), found.append)
    return found


@pytest.fixture
def dynamodb() -> Iterator["DynamoDBClient"]:
    with serving(handler_of(Tables())) as address:
        session = boto3.Session("test", "test", region_name="eu-west-1")
        client = session.client("dynamodb", endpoint_url=f"http://{address}")
        yield client
        client.close()


@pytest.mark.parametrize("name", LATENCIES)
def test_draws_have_the_given_median_and_percentile(name: str) -> None:
    latency, rng = LATENCIES[name], random.Random(1)  # noqa: S311
    drawn = statistics.quantiles((latency.draw(rng, 10) for _ in range(40_000)), n=100)
    assert drawn[49] == pytest.approx(latency.typical(10), rel=0.02)
    assert drawn[98] == pytest.approx(latency.p99 + latency.each * 10, rel=0.06)


@pytest.mark.parametrize(
    ("name", "items", "published"),
    [
        ("dynamodb.TransactWriteItems", 5, 25.3),
        ("dynamodb.TransactWriteItems", 25, 32.1),
        ("dynamodb.BatchWriteItem", 5, 8.14),
        ("dynamodb.BatchWriteItem", 25, 10.2),
    ],
)
def test_the_dependence_on_items_is_the_published_one(
    name: str, items: int, published: float
) -> None:
    assert LATENCIES[name].typical(items) == pytest.approx(published, rel=0.01)


def test_a_seed_determines_the_draws() -> None:
    def some(seed: str) -> list[Any]:
        draws = Draws(seed)
        return [draws.seconds("dynamodb.GetItem", b"{}") for _ in range(3)]

    assert some("a") == some("a") != some("b")


@pytest.mark.parametrize(
    ("operation", "body", "items"),
    [
        (
            "dynamodb.TransactWriteItems",
            b'{"TransactItems":[{"Put":{"TableName":"t","Item":{"a":{"S":"\\"TableName\\":"}}}},'
            b'{"Delete":{"TableName": "t"}}]}',
            2,
        ),
        ("dynamodb.BatchWriteItem", b'{"t":[{"PutRequest":{}},{"DeleteRequest": {}}]}', 2),
        ("dynamodb.BatchGetItem", b'{"RequestItems":{"t":{"Keys":[1,2]},"u":{"Keys":[3]}}}', 3),
        ("dynamodb.GetItem", b"{}", 1),
        ("sqs.SendMessage", b"", 1),
    ],
)
def test_a_requests_items_are_counted(operation: str, body: bytes, items: int) -> None:
    assert items_of(operation, body) == items


def test_an_operation_is_named_by_its_header() -> None:
    assert operation_of({"X-Amz-Target": "DynamoDB_20120810.Query"}) == "dynamodb.Query"
    assert operation_of({"X-Amz-Target": b"TrentService.Decrypt"}) == "kms.Decrypt"
    assert operation_of({}) == ""


def test_a_call_waits_for_the_rest_of_its_latency(
    slept: list[float], dynamodb: "DynamoDBClient"
) -> None:
    dynamodb.get_item(TableName="T", Key={"pk": {"S": "a"}, "sk": {"S": "b"}})
    assert len(slept) == 1
    assert 0 < slept[0] < 60
