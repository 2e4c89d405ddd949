"""The cost of a million incidents on AWS, from measured usage and list prices."""

from dataclasses import dataclass, replace
from math import ceil

MILLION = 1_000_000
GB = 1_000_000_000
KB = 1024

# Dollars in us-east-1 as of 2026-06, each for one unit, without a free tier or discount.
HTTP_API_REQUEST = 1.00 / MILLION
HTTP_API_CHUNK = 512 * KB
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_ARM_GB_SECOND = 0.0000133334
SQS_REQUEST = 0.40 / MILLION
# In addition, for a message with a group in a standard queue.
SQS_FAIR_REQUEST = 0.10 / MILLION
SQS_CHUNK = 64 * KB
WRITE_UNIT = 0.625 / MILLION
WRITE_UNIT_BYTES = KB
READ_UNIT = 0.125 / MILLION
# Storage with point-in-time recovery.
STORED_GB_MONTH = 0.25 + 0.20
LOG_BYTE = 0.50 / GB
TRACE = 5.00 / MILLION
BYTE_OUT = 0.09 / GB

# Assumptions: X-Ray's sampling rate; bytes that Lambda and API Gateway log per call.
SAMPLED = 0.05
PLATFORM_LOG = 400
ACCESS_LOG = 250
# From this memory on, a function has a whole core; below, it has a proportional share.
WHOLE_CORE_MB = 1769


@dataclass(frozen=True)
class Work:
    """One function's work: CPU milliseconds of a whole core, and those it waits for others."""

    memory_mb: int
    cpu_ms: float
    waiting_ms: float

    @property
    def billed_ms(self) -> int:
        """The billed duration."""
        share = min(self.memory_mb / WHOLE_CORE_MB, 1)
        return ceil(self.cpu_ms / share + self.waiting_ms)

    @property
    def dollars(self) -> float:
        """The price of the duration, without the request."""
        return self.billed_ms / 1000 * self.memory_mb / KB * LAMBDA_ARM_GB_SECOND


@dataclass(frozen=True)
class Usage:
    """One submission, delivered to one site by one invocation.

    Write units are those of single writes: DynamoDB bills twice as many for a transaction.
    """

    entities: int
    accepting: Work
    delivering: Work
    body_bytes: float
    message_bytes: float
    write_units: float
    receipt_units: float
    read_units: float
    stored_bytes: float
    log_bytes: float


def parts(usage: Usage) -> dict[str, tuple[float, float]]:
    """By part: dollars per million incidents, and the share that any design would pay."""
    chunks = ceil(usage.message_bytes / SQS_CHUNK)
    # Sends and receives are billed per chunk, a deletion as one request.
    queue = (2 * chunks + 1) * SQS_REQUEST
    writes = usage.write_units * WRITE_UNIT
    logged = usage.log_bytes + 2 * PLATFORM_LOG + ACCESS_LOG
    found = {
        "API Gateway": _all(ceil(usage.body_bytes / HTTP_API_CHUNK) * HTTP_API_REQUEST),
        "Lambda, requests": _all(2 * LAMBDA_REQUEST),
        "Lambda, accepting a submission": _work(usage.accepting),
        "Lambda, delivering it": _work(usage.delivering),
        "SQS": (queue + chunks * SQS_FAIR_REQUEST, queue),
        "DynamoDB, writes (transactions)": (2 * writes, writes),
        "DynamoDB, receipts": (usage.receipt_units * WRITE_UNIT, 0.0),
        "DynamoDB, reads": (usage.read_units * READ_UNIT, 0.0),
        "DynamoDB, a month's storage with backup": _all(usage.stored_bytes / GB * STORED_GB_MONTH),
        "Logs": (logged * LOG_BYTE, 0.0),
        "X-Ray": (2 * SAMPLED * TRACE, 0.0),
        "Bytes to Jira": _all(usage.body_bytes * BYTE_OUT),
    }
    submissions = MILLION / usage.entities
    scaled = {
        name: (dollars * submissions, needed * submissions)
        for name, (dollars, needed) in found.items()
    }
    dollars, needed = (sum(column) for column in zip(*scaled.values(), strict=True))
    return scaled | {"all": (dollars, needed)}


def _all(dollars: float) -> tuple[float, float]:
    return dollars, dollars


def _work(work: Work) -> tuple[float, float]:
    """The answer times of AWS and Jira are unavoidable; CPU time is not."""
    return work.dollars, replace(work, cpu_ms=0).dollars
