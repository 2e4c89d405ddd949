"""Factories for boto3 clients. A function creates only those it uses, at init."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

# Timeouts in seconds. API Gateway allows 29 for a request, so a dependency that hangs must fail
# early enough for Relay to respond. AWS validates parameters itself; validating them here, too,
# costs a third of a delivery's CPU time.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
)

# What a call by one of these clients raises.
AWS_ERRORS = (BotoCoreError, ClientError)


def dynamodb_client() -> "DynamoDBClient":
    """A client for DynamoDB; its calls raise AWS_ERRORS."""
    return boto3.client("dynamodb", config=_CONFIG)


def kms_client() -> "KMSClient":
    """A client for KMS; its calls raise AWS_ERRORS."""
    return boto3.client("kms", config=_CONFIG)


def sqs_client() -> "SQSClient":
    """A client for SQS; its calls raise AWS_ERRORS."""
    return boto3.client("sqs", config=_CONFIG)
