"""The checks of `relay doctor` that need AWS: is anything waiting too long, or given up?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from relay_cli.config import AwsAccess, is_loopback
from relay_cli.finding import Finding, fail, ok, warn
from relay_cli.words import counted

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_sqs import SQSClient

# Seconds; the alarm of the template has the same.
OLDEST_MAX = 900
_QUEUES = {"SubmissionsQueue": "submissions", "NoticesQueue": "notices"}
_DEAD_LETTERS = {"SubmissionsDeadLetters": "submissions", "NoticesDeadLetters": "notices"}
_PERIOD = timedelta(minutes=15)


@dataclass(frozen=True)
class Stack:
    """What CloudFormation says of a deployed Relay."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


class Aws:
    """The user's own access to AWS; to an emulated one on this machine, with credentials that
    open nothing."""

    def __init__(self, access: AwsAccess) -> None:
        # Only those who look at the queues wait for this import.
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

    def stack(self) -> Stack:
        if not self._access.stack:
            return Stack(self._access.outputs)
        client: CloudFormationClient = self._session.client("cloudformation", **self._options)
        [found] = client.describe_stacks(StackName=self._access.stack)["Stacks"]
        return Stack(
            {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
            {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())},
        )

    def depth(self, url: str) -> tuple[int, int]:
        """How many messages wait, and how many are being worked on; both are estimates of SQS."""
        client: SQSClient = self._session.client("sqs", **self._options)
        answer = client.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return (
            int(answer["ApproximateNumberOfMessages"]),
            int(answer["ApproximateNumberOfMessagesNotVisible"]),
        )

    def oldest(self, url: str) -> float | None:
        """The age of a queue's oldest message in seconds; None where CloudWatch has not seen it."""
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


def queue_findings(aws: Aws, stack: Stack) -> Iterator[Finding]:
    """Raises what boto3 raises where AWS can't be asked."""
    for output, name in _QUEUES.items():
        if output in stack.outputs:
            yield _queue(aws, f"queue {name}", stack.outputs[output])
    for output, name in _DEAD_LETTERS.items():
        if output in stack.outputs:
            yield _dead_letters(aws, f"dead letters {name}", stack.outputs[output])


def _queue(aws: Aws, check: str, url: str) -> Finding:
    waiting, in_work = aws.depth(url)
    oldest = _age(aws, url) if waiting or in_work else None
    message = f"{counted(waiting, 'message')} waiting, {in_work:,} in work"
    if oldest is None:
        return ok(check, f"{message}.")
    message += f"; the oldest is {oldest:,.0f} s old."
    if oldest < OLDEST_MAX:
        return ok(check, message)
    return warn(
        check,
        message,
        "Nothing is lost. Look whether each site answers (above), and into the function's log; "
        "more submitters at once are the parameter SubmitterConcurrency.",
    )


def _dead_letters(aws: Aws, check: str, url: str) -> Finding:
    waiting, in_work = aws.depth(url)
    if not waiting + in_work:
        return ok(check, "Empty.")
    return fail(
        check,
        f"{counted(waiting + in_work, 'message')} could not be processed.",
        "They are kept for 14 days. The function's log says why each failed, by its message id; "
        "once that is mended, start the queue's redrive.",
    )


def _age(aws: Aws, url: str) -> float | None:
    """Without CloudWatch, or the right to ask it, the rest of the finding still stands."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return aws.oldest(url)
    except (BotoCoreError, ClientError):
        return None
