"""The user's own access to AWS, for what the API does not show: queues, tables and the stack."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from relay_cli.config import AwsAccess, Config, is_loopback
from relay_cli.failure import Misuse, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

# Enough for some that only tables of one kind have.
_ITEMS = 100
_PERIOD = timedelta(minutes=15)


@dataclass(frozen=True)
class Stack:
    """A deployed Relay's CloudFormation stack: values by the names of outputs and parameters."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


class Aws:
    """Calls to AWS with the user's credentials, or to an emulated AWS on this machine with made-up
    ones. Methods raise botocore's errors."""

    def __init__(self, access: AwsAccess) -> None:
        # A slow import, which only few commands need.
        import boto3
        from botocore.config import Config

        self._access = access
        is_local = bool(access.endpoint and is_loopback(access.endpoint))
        self._session = boto3.Session(
            aws_access_key_id="test" if is_local else None,
            aws_secret_access_key="test" if is_local else None,
            profile_name=access.profile,
            region_name=access.region,
        )
        self._options: dict[str, Any] = {
            "endpoint_url": access.endpoint,
            "config": Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"total_max_attempts": 2},
                proxies={} if is_local else None,
            ),
        }

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client of SQS, made once."""
        client: SQSClient = self._session.client("sqs", **self._options)
        return client

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A client of DynamoDB, made once."""
        client: DynamoDBClient = self._session.client("dynamodb", **self._options)
        return client

    def stack(self) -> Stack:
        """The stack that the access names, or else its known outputs without parameters."""
        if not self._access.stack:
            return Stack(self._access.outputs)
        client: CloudFormationClient = self._session.client("cloudformation", **self._options)
        [found] = client.describe_stacks(StackName=self._access.stack)["Stacks"]
        return Stack(
            {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
            {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())},
        )

    def key_of_table(self, name: str) -> tuple[str, ...]:
        """The names of the table's partition key and, if it has one, its sort key."""
        schema = self.dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
        return tuple(one["AttributeName"] for one in schema)

    def some_keys(self, name: str) -> list[str]:
        """The partition keys of up to a hundred items of one of Relay's tables."""
        answer = self.dynamodb.scan(
            TableName=name, Limit=_ITEMS, ProjectionExpression="pk", ConsistentRead=True
        )
        return [item["pk"]["S"] for item in answer["Items"]]

    def depth(self, url: str) -> tuple[int, int]:
        """The numbers of visible and of in-flight messages. Both are SQS's estimates."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return (
            int(answer["ApproximateNumberOfMessages"]),
            int(answer["ApproximateNumberOfMessagesNotVisible"]),
        )

    def oldest(self, url: str) -> float | None:
        """The age of a queue's oldest message in seconds. None if CloudWatch has no data of the
        last 15 minutes."""
        client: CloudWatchClient = self._session.client("cloudwatch", **self._options)
        now = datetime.now(UTC)
        points = client.get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
            StartTime=now - _PERIOD,
            EndTime=now,
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        newest = max(points, key=lambda point: point["Timestamp"], default=None)
        return newest["Maximum"] if newest else None


def access_to(config: Config, stack_name: str | None) -> AwsAccess | None:
    """Access to the stack that the command or the configuration names; None without either."""
    if stack_name:
        return replace(config.aws or AwsAccess(), stack=stack_name)
    return config.aws


@contextmanager
def aws_failures() -> Iterator[None]:
    """Turns botocore's errors into Unavailable. Raises Misuse if boto3 is not installed."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError:
        raise Misuse(
            "Reading the queues requires the package boto3, which is not installed."
        ) from None
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(
            f"{error} Are the AWS credentials, the region and the stack's name right?", "aws"
        ) from None
