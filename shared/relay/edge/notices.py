"""Notices to webhooks: queued when Jira tells something, sent as Standard Webhooks asks."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import httpx

from relay.actions.associations import Notice
from relay.aws import AWS_ERRORS
from relay.catalog import Webhook, WebhookStore
from relay.catalog.webhooks import SECRET_PREFIX
from relay.errors import Unavailable
from relay.telemetry import Metric, count, logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_TIMEOUT = httpx.Timeout(10, connect=5)
_COME_AGAIN = (
    ValueError,
    TypeError,
    httpx.HTTPError,
    httpx.InvalidURL,
    Unavailable,
    *AWS_ERRORS,
)


class NoticesQueue:
    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, notices: Iterable[Notice]) -> None:
        """Raises an AWS error; Jira's call is then answered 503, and may be made again."""
        for notice in notices:
            self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(asdict(notice)))


class Webhooks:
    def __init__(self, store: WebhookStore, http: httpx.Client) -> None:
        self._store = store
        self._http = http

    def consume(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send the notices of an SQS event; the answer names those that must come again."""
        come_again = [
            {"itemIdentifier": record["messageId"]}
            for record in event["Records"]
            if not self._sent(record)
        ]
        return {"batchItemFailures": come_again}

    def _sent(self, record: dict[str, Any]) -> bool:
        try:
            notice = Notice(**json.loads(record["body"]))
            self._send(notice)
        except _COME_AGAIN as error:
            reason = type(error).__name__
            logger.warning("Notice comes again", message_id=record["messageId"], reason=reason)
            return False
        return True

    def _send(self, notice: Notice) -> None:
        webhook = self._store.get(notice.workspace_id)
        if webhook is None:
            logger.info("Notice dropped: the webhook was removed", notice_id=notice.id)
            return
        body = json.dumps({"type": notice.event, "timestamp": notice.at, "data": notice.data})
        headers = signed(webhook, notice.id, int(time.time()), body)
        # What it says beside its status is not read, however much that would be.
        with self._http.stream(
            "POST", webhook.url, content=body, headers=headers, timeout=_TIMEOUT
        ) as answer:
            # A redirect is no success, either.
            if not answer.is_success:
                raise httpx.HTTPError(f"status {answer.status_code}")
        count(Metric.NOTICES_SENT)
        logger.info("Notice sent", notice_id=notice.id, workspace_id=notice.workspace_id)


def signed(webhook: Webhook, notice_id: str, timestamp: int, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks: HMAC-SHA256 of id, time and body, in base64."""
    key = base64.b64decode(webhook.secret.removeprefix(SECRET_PREFIX))
    content = f"{notice_id}.{timestamp}.{body}".encode()
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": notice_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
