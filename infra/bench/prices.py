"""AWS's list prices in us-east-1, in dollars, without any free tier or discount."""

from dataclasses import dataclass

AS_OF = "2026-06"
REGION = "us-east-1"
_MILLION = 1_000_000
_GB = 1_000_000_000


@dataclass(frozen=True)
class Prices:
    """Each for one of what it is named after; memory and storage in gigabytes."""

    http_api_request: float = 1.00 / _MILLION
    lambda_request: float = 0.20 / _MILLION
    lambda_arm_gb_second: float = 0.0000133334
    sqs_request: float = 0.40 / _MILLION
    # For a message with a group in a standard queue.
    sqs_fair_request: float = 0.10 / _MILLION
    dynamodb_write_unit: float = 0.625 / _MILLION
    dynamodb_read_unit: float = 0.125 / _MILLION
    dynamodb_gb_month: float = 0.25
    dynamodb_backup_gb_month: float = 0.20
    kms_request: float = 0.03 / 10_000
    log_byte: float = 0.50 / _GB
    trace: float = 5.00 / _MILLION
    byte_out: float = 0.09 / _GB


LISTED = Prices()

# What one of it is billed for.
HTTP_API_CHUNK = 512 * 1024
SQS_CHUNK = 64 * 1024
WRITE_UNIT = 1024
"""Bytes."""
