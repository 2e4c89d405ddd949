"""AWS clients, made at init and only where a function uses them; every call has a timeout."""

from typing import TYPE_CHECKING

import boto3
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


def dynamodb_client() -> "DynamoDBClient":
    return boto3.client("dynamodb", config=_CONFIG)


def kms_client() -> "KMSClient":
    return boto3.client("kms", config=_CONFIG)


def sqs_client() -> "SQSClient":
    return boto3.client("sqs", config=_CONFIG)
