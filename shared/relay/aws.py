"""AWS clients, made at init and only where a function uses them; every call has a timeout."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

# Seconds. An API call of ours has 29 in all, so a part that hangs must fail early enough to tell.
# What is sent is checked by AWS itself: to check it here, too, is a third of a delivery's work.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
)

AWS_ERRORS = (BotoCoreError, ClientError)

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def dynamodb_client() -> "DynamoDBClient":
    return boto3.client("dynamodb", config=_CONFIG)


def kms_client() -> "KMSClient":
    return boto3.client("kms", config=_CONFIG)


def sqs_client() -> "SQSClient":
    return boto3.client("sqs", config=_CONFIG)


def to_item(values: dict[str, Any]) -> dict[str, Any]:
    """A DynamoDB item of plain values; None is left out."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of a DynamoDB item; numbers are Decimal, bytes are bytes."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    # Nearly all are of these two; boto3's serializer asks each for a dozen types.
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is int:
        return {"N": str(value)}
    return dict(_serializer.serialize(value))


def _plain(typed: Any) -> Any:
    if "S" in typed:
        return typed["S"]
    value = _deserializer.deserialize(typed)
    # The published types of boto3 don't know that a Binary has a value.
    return value.value if isinstance(value, Binary) else value  # type: ignore[attr-defined]
