"""Replays that continue by themselves: the queue between their steps, and time that passes."""

from types import ModuleType
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from tests.support.aws import REGION, Aws
from tests.support.lambdas import Context, sqs_event


def let_time_pass(aws: Aws) -> None:
    """Make everything due that waits: sites in trouble, replays, erasures, postponed debts, delayed
    messages.
    """
    names = {
        aws.environment["TENANTS_TABLE"]: {"until", "due", "again", "leased"},
        aws.environment["CATALOG_TABLE"]: {"due", "leased"},
        aws.environment["RECORD_TABLE"]: {"notBefore"},
    }
    for table, waits in names.items():
        for item in aws.dynamodb.scan(TableName=table)["Items"]:
            for name in waits & item.keys():
                _let_pass(aws, table, item, name)
            if "sites" in item:
                _let_sites_pass(aws, table, item)
    for queue in ("SubmissionsQueue", "ReplaysQueue"):
        let_delays_pass(queue)


def _let_pass(aws: Aws, table: str, item: Any, name: str) -> None:
    # Zero means that it waits for nothing.
    if item[name] != {"N": "0"}:
        aws.dynamodb.update_item(
            TableName=table,
            Key={"pk": item["pk"], "sk": item["sk"]},
            UpdateExpression="SET #name = :past",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":past": {"N": "1"}},
        )


def _let_sites_pass(aws: Aws, table: str, erasure: Any) -> None:
    sites = [{"M": site["M"] | {"due": {"N": "0"}}} for site in erasure["sites"]["L"]]
    aws.dynamodb.update_item(
        TableName=table,
        Key={"pk": erasure["pk"], "sk": erasure["sk"]},
        UpdateExpression="SET sites = :sites",
        ExpressionAttributeValues={":sites": {"L": sites}},
    )


def let_delays_pass(queue: str) -> int:
    """Make delayed messages available; return how many there were."""
    messages = get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].queues[queue]._messages
    delayed = [message for message in messages if message.delayed]
    for message in delayed:
        message.delayed_until = 0
    return len(delayed)


def received(aws: Aws, url: str) -> list[dict[str, Any]]:
    """Up to ten messages, received and deleted."""
    found = aws.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"]
    )
    for message in found.get("Messages", []):
        aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [dict(message) for message in found.get("Messages", [])]


def run_replays(aws: Aws, replayer: ModuleType) -> int:
    """Let the replayer handle its queue until it is empty; return the number of steps."""
    steps = 0
    while messages := received(aws, aws.environment["REPLAYS_QUEUE"]):
        for message in messages:
            replayer.handler(sqs_event(message["Body"]), Context())
            steps += 1
    return steps
