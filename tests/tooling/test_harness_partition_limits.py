"""The benchmarks' tables throttle as DynamoDB does, by partition key and second."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.harness.partition_limits import Limits, item_size, read_units, write_units
from infra.harness.serving import serving
from infra.harness.tables import Tables
from infra.harness.tables_server import handler_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "RecordTable"
ONCE: Any = Config(retries={"total_max_attempts": 1})
QUERY: Any = {
    "TableName": TABLE,
    "KeyConditionExpression": "pk = :pk",
    "ExpressionAttributeValues": {":pk": {"S": "a"}},
}


class Time:
    """The buckets' clock, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def tables(time: Time) -> Iterator[Tables]:
    with closing(Tables(Limits(writes=10, reads=6, clock=lambda: time.now))) as tables:
        yield tables


@pytest.fixture
def dynamodb(tables: Tables) -> Iterator["DynamoDBClient"]:
    with serving(handler_of(tables)) as address:
        session = boto3.Session("test", "test", region_name="eu-west-1")
        client = session.client("dynamodb", endpoint_url=f"http://{address}", config=ONCE)
        yield client
        client.close()


def item(sk: str, size: int = 100, pk: str = "a") -> Any:
    """An item of this many bytes."""
    bare = {"pk": {"S": pk}, "sk": {"S": sk}, "text": {"S": ""}}
    return bare | {"text": {"S": "x" * (size - item_size(bare))}}


def put(sk: str, size: int = 100, pk: str = "a") -> Any:
    """A put of such an item, in a transaction."""
    return {"Put": {"TableName": TABLE, "Item": item(sk, size, pk)}}


def writable(dynamodb: "DynamoDBClient", pk: str = "a") -> int:
    """How many items of one unit the key still takes in this instant."""
    for count in range(100):
        try:
            dynamodb.put_item(TableName=TABLE, Item=item("probe", pk=pk))
        except dynamodb.exceptions.ThrottlingException:
            return count
    raise AssertionError("Nothing is throttled.")


# --- Units ---


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (409_600, 400)])
def test_a_write_costs_a_unit_per_kilobyte(size: int, units: int) -> None:
    assert write_units(size) == units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2), (409_600, 100)])
def test_a_read_costs_a_unit_per_four_kilobytes_and_half_if_eventually_consistent(
    size: int, units: int
) -> None:
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "über"}, 5),
        ({"N": "1234"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 3 + 2),
        ({"M": {"k": {"S": "ab"}}}, 3 + 3 + 1),
    ],
)
def test_an_items_size_is_that_of_its_names_and_values(value: Any, size: int) -> None:
    assert item_size({"name": value}) == len("name") + size


# --- Writes ---


def test_a_key_takes_a_seconds_worth_at_once_and_then_its_rate(
    dynamodb: "DynamoDBClient", time: Time
) -> None:
    assert writable(dynamodb) == 10
    time.now += 0.3
    assert writable(dynamodb) == 3
    time.now += 60
    assert writable(dynamodb) == 10


def test_keys_and_tables_have_their_own_limits(dynamodb: "DynamoDBClient") -> None:
    assert writable(dynamodb) == 10
    assert writable(dynamodb, pk="b") == 10
    dynamodb.put_item(TableName="CatalogTable", Item=item("1"))


def test_an_update_costs_the_larger_of_the_item_before_and_after(
    dynamodb: "DynamoDBClient", time: Time
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("1", 4096))
    time.now += 1
    dynamodb.put_item(TableName=TABLE, Item=item("1", 100))
    assert writable(dynamodb) == 6
    time.now += 1
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": "a"}, "sk": {"S": "1"}},
        UpdateExpression="SET more = :more",
        ExpressionAttributeValues={":more": {"S": "x" * 3000}},
    )
    assert writable(dynamodb) == 6


def test_a_failed_condition_costs_the_existing_item(dynamodb: "DynamoDBClient", time: Time) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("1", 3072))
    time.now += 1
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(
            TableName=TABLE, Item=item("1"), ConditionExpression="attribute_not_exists(pk)"
        )
    assert writable(dynamodb) == 7


def test_a_large_item_leaves_a_debt(dynamodb: "DynamoDBClient", time: Time) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("1", 30 * 1024))
    time.now += 2
    assert writable(dynamodb) == 0
    time.now += 1
    assert writable(dynamodb) == 10


def test_a_batch_returns_what_is_throttled(dynamodb: "DynamoDBClient") -> None:
    requests = [{"PutRequest": {"Item": item(f"{number:02}")}} for number in range(12)]
    answer = dynamodb.batch_write_item(RequestItems={TABLE: requests})  # type: ignore[dict-item]
    assert answer["UnprocessedItems"] == {TABLE: requests[10:]}
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.batch_write_item(RequestItems=answer["UnprocessedItems"])


# --- Transactions ---


def test_a_transaction_costs_double(dynamodb: "DynamoDBClient") -> None:
    dynamodb.transact_write_items(TransactItems=[put("1"), put("2", 2048)])
    assert writable(dynamodb) == 4


def test_a_throttled_transaction_names_the_items_and_writes_nothing(
    dynamodb: "DynamoDBClient", time: Time
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("0", 9 * 1024))
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=[put("1"), put("2"), put("3", pk="b")])
    codes = [one["Code"] for one in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "ThrottlingError", "None"]
    time.now += 1
    assert dynamodb.query(**QUERY)["Count"] == 1


def test_a_canceled_transaction_has_paid_for_what_it_prepared(
    dynamodb: "DynamoDBClient", time: Time
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("1"))
    time.now += 1
    refused = put("1")
    refused["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=[refused, put("2", 2048)])
    codes = [one["Code"] for one in caught.value.response["CancellationReasons"]]
    assert codes == ["ConditionalCheckFailed", "None"]
    assert writable(dynamodb) == 7


# --- Reads ---


def test_reads_have_a_limit_of_their_own(dynamodb: "DynamoDBClient", time: Time) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("1", 8000))
    key: Any = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    for consistent, reads in ((True, 3), (False, 6)):
        time.now += 1
        for _ in range(reads):
            dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=consistent)
        with pytest.raises(ClientError, match="ThrottlingException"):
            dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=consistent)


def test_a_query_costs_what_it_read_even_if_it_only_counts(
    dynamodb: "DynamoDBClient", time: Time
) -> None:
    for number in range(20):
        time.now += 1
        dynamodb.put_item(TableName=TABLE, Item=item(f"{number:02}", 1000))
    # 20,000 bytes are 5 units.
    for _ in range(2):
        dynamodb.query(**QUERY, ConsistentRead=True, Select="COUNT")
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.query(**QUERY, ConsistentRead=True)


def test_a_batch_of_reads_returns_the_keys_that_are_throttled(
    dynamodb: "DynamoDBClient",
) -> None:
    keys = [{"pk": {"S": "a"}, "sk": {"S": str(number)}} for number in range(8)]
    wanted: Any = {TABLE: {"Keys": keys, "ConsistentRead": True}}
    answer = dynamodb.batch_get_item(RequestItems=wanted)
    assert answer["UnprocessedKeys"] == {TABLE: {"Keys": keys[6:], "ConsistentRead": True}}
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.batch_get_item(RequestItems=answer["UnprocessedKeys"])


def test_nothing_is_throttled_without_limits(tables: Tables, dynamodb: "DynamoDBClient") -> None:
    tables.limits = None
    with pytest.raises(AssertionError, match="Nothing is throttled"):
        writable(dynamodb)
