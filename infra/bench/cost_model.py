"""What a million incidents cost, from what was counted. No part has a figure of its own in here
but those that can't be measured without AWS: they are in `Assumed`."""

from dataclasses import dataclass
from math import ceil

from infra.bench.prices import HTTP_API_CHUNK, LISTED, SQS_CHUNK, Prices

MILLION = 1_000_000
# A function has a whole core with so many megabytes, and a share of it with fewer.
_WHOLE_CORE_MB = 1769


@dataclass(frozen=True)
class Assumed:
    """Milliseconds until AWS and Jira have answered; the share of calls that X-Ray samples; the
    bytes that Lambda and API Gateway log by themselves, per call."""

    read_ms: float = 4
    transaction_ms: float = 40
    send_ms: float = 8
    jira_ms: float = 400
    sampled: float = 0.05
    platform_log: int = 400
    access_log: int = 250


@dataclass(frozen=True)
class Function:
    """One function's part in one unit of work: milliseconds of a core, and requests by kind."""

    memory_mb: int
    cpu_ms: float
    reads: float = 0
    transactions: float = 0
    sends: float = 0
    jira: float = 0

    def billed_ms(self, assumed: Assumed) -> int:
        share = min(self.memory_mb / _WHOLE_CORE_MB, 1)
        waiting = (
            self.reads * assumed.read_ms
            + self.transactions * assumed.transaction_ms
            + self.sends * assumed.send_ms
            + self.jira * assumed.jira_ms
        )
        return ceil(self.cpu_ms / share + waiting)


@dataclass(frozen=True)
class Usage:
    """One submission of so many entities, delivered to one site by one invocation.

    Write units are as DynamoDB bills them for single writes: a transaction costs twice as many.
    """

    entities: int
    taking: Function
    delivering: Function
    body_bytes: float
    message_bytes: float
    write_units: float
    read_units: float
    stored_bytes: float
    log_bytes: float
    jira_bytes: float


@dataclass(frozen=True)
class Part:
    """Dollars per million incidents; `needed` is what no way of doing it could save."""

    name: str
    dollars: float
    needed: float


def parts(usage: Usage, prices: Prices = LISTED, assumed: Assumed | None = None) -> list[Part]:
    assumed = assumed or Assumed()
    per_million = MILLION / usage.entities
    found = [
        _both("API Gateway", ceil(usage.body_bytes / HTTP_API_CHUNK) * prices.http_api_request),
        _both("Lambda, requests", 2 * prices.lambda_request),
        _time("Lambda, taking a submission", usage.taking, prices, assumed),
        _time("Lambda, delivering it", usage.delivering, prices, assumed),
        _queue(usage, prices),
        Part(
            "DynamoDB, writes (transactions)",
            2 * usage.write_units * prices.dynamodb_write_unit,
            usage.write_units * prices.dynamodb_write_unit,
        ),
        Part("DynamoDB, reads", usage.read_units * prices.dynamodb_read_unit, 0),
        _both(
            "DynamoDB, a month's storage with backup",
            usage.stored_bytes / 1e9 * (prices.dynamodb_gb_month + prices.dynamodb_backup_gb_month),
        ),
        Part("Logs", _logged(usage, assumed) * prices.log_byte, 0),
        Part("X-Ray", 2 * assumed.sampled * prices.trace, 0),
        _both("Bytes to Jira", usage.jira_bytes * prices.byte_out),
    ]
    return [Part(one.name, one.dollars * per_million, one.needed * per_million) for one in found]


def _both(name: str, dollars: float) -> Part:
    return Part(name, dollars, dollars)


def _time(name: str, function: Function, prices: Prices, assumed: Assumed) -> Part:
    """The time that AWS and Jira take to answer can't be saved by less work of ours."""
    gigabytes = function.memory_mb / 1024
    waiting = Function(
        function.memory_mb, 0, function.reads, function.transactions, function.sends, function.jira
    )
    billed, needed = (
        one.billed_ms(assumed) / 1000 * gigabytes * prices.lambda_arm_gb_second
        for one in (function, waiting)
    )
    return Part(name, billed, needed)


def _queue(usage: Usage, prices: Prices) -> Part:
    """A message is sent and received by chunks, and deleted at once."""
    chunks = ceil(usage.message_bytes / SQS_CHUNK)
    fair = chunks * prices.sqs_fair_request
    plain = (2 * chunks + 1) * prices.sqs_request
    return Part("SQS", plain + fair, plain)


def _logged(usage: Usage, assumed: Assumed) -> float:
    return usage.log_bytes + 2 * assumed.platform_log + assumed.access_log
