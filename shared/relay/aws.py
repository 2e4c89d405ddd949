"""Factories for boto3 clients, and calls by one side by side.

A function creates only the clients it uses, at init.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

# Timeouts in seconds. API Gateway allows 29 for a request, so a dependency that hangs must fail
# early enough for Relay to respond. AWS validates parameters itself; validating them here, too,
# costs a third of a delivery's CPU time. botocore assembles its own User-Agent twice per request,
# a sixth of an action's CPU time; a given one is sent as it is.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="Relay",
)

# What a call by one of these clients raises.
AWS_ERRORS = (BotoCoreError, ClientError)

# The calls that are under way at once. A client keeps ten connections.
AT_ONCE = 8

GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")


def side_by_side(call: Callable[[GivenT], ResultT], given: Iterable[GivenT]) -> list[ResultT]:
    """Call with each of these, at most AT_ONCE at a time; returns the results in their order.

    If a call raises, no further one begins. Its error is raised once those under way have ended.
    """
    rest = iter(given)
    few = list(islice(rest, 2))
    if len(few) < 2:
        # One call needs no threads.
        return [call(one) for one in few]
    errors: list[BaseException] = []

    def attempt(one: GivenT) -> ResultT | None:
        if not errors:
            try:
                return call(one)
            except BaseException as error:
                errors.append(error)
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(attempt, chain(few, rest)))
    if errors:
        raise errors[0]
    return cast("list[ResultT]", results)


def dynamodb_client() -> "DynamoDBClient":
    """A client for DynamoDB; its calls raise AWS_ERRORS."""
    return boto3.client("dynamodb", config=_CONFIG)


def kms_client() -> "KMSClient":
    """A client for KMS; its calls raise AWS_ERRORS."""
    return boto3.client("kms", config=_CONFIG)


def sqs_client() -> "SQSClient":
    """A client for SQS; its calls raise AWS_ERRORS."""
    return boto3.client("sqs", config=_CONFIG)
