"""Notices to webhooks: queued when Jira tells something, sent as Standard Webhooks asks."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from relay.aws import AWS_ERRORS
from relay.catalog.webhooks import SECRET_PREFIX, Attempt, Webhook, WebhookStore
from relay.errors import NotFound, Unavailable
from relay.outbound.addresses import public_only
from relay.outbound.client import OutboundClient
from relay.provider.webhook_failures import words_of
from relay.queues.notices import Notice, NoticesQueue, parse_notice
from relay.table import TABLE_ERRORS
from relay.telemetry import Metric, count, logger

# For a whole call: a webhook that hangs holds a function for no longer.
_SECONDS = 10.0
# An answer's body is not read.
_ANSWER_BYTES_MAX = 0
# Seconds for which a workspace's webhook that did not answer in time is not called.
_PAUSE = 30
_PAUSED_MAX = 1000
_COME_AGAIN = (
    ValueError,
    TypeError,
    httpx.HTTPError,
    httpx.InvalidURL,
    Unavailable,
    *AWS_ERRORS,
)


def webhook_client(test_origins: Iterable[str]) -> OutboundClient:
    """It connects to public addresses alone, whatever a host's name leads to at the time."""
    return OutboundClient(_SECONDS, _ANSWER_BYTES_MAX, public_only(test_origins))


class WebhookSender:
    """Sends notices; one that can't be sent waits in the queue, and holds up no other."""

    def __init__(self, store: WebhookStore, http: OutboundClient, queue: NoticesQueue) -> None:
        self._store = store
        self._http = http
        self._queue = queue
        # By workspace, in epoch seconds: without it, each of many notices would hold a function.
        self._paused_until: dict[str, float] = {}

    def consume(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send the notices of an SQS event; the answer names those that must come again."""
        come_again = [record for record in event["Records"] if not self._sent(record)]
        for record in come_again:
            self._queue.delay(record)
        return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in come_again]}

    def test(self, workspace_id: str) -> Attempt:
        """Send a notice that says nothing, at once and once only. Raises NotFound."""
        webhook = self._store.get(workspace_id)
        if webhook is None:
            raise NotFound("The workspace has no webhook.", code="unknown_webhook")
        at, data = datetime.now(UTC).isoformat(), {"workspaceId": workspace_id}
        notice = Notice(uuid4().hex, workspace_id, "webhook.test", at, data)
        attempt, _ = self._attempt(webhook, notice)
        logger.info("Webhook tested", notice_id=notice.id, workspace_id=workspace_id)
        return attempt

    def _sent(self, record: dict[str, Any]) -> bool:
        try:
            notice = parse_notice(record["body"])
            self._send(notice)
        except _COME_AGAIN as error:
            reason = type(error).__name__
            logger.warning("Notice comes again", message_id=record["messageId"], reason=reason)
            return False
        return True

    def _send(self, notice: Notice) -> None:
        if time.time() < self._paused_until.get(notice.workspace_id, 0):
            raise Unavailable("The workspace's webhook did not answer a moment ago.")
        webhook = self._store.get(notice.workspace_id)
        if webhook is None:
            logger.info("Notice dropped: the webhook was removed", notice_id=notice.id)
            return
        _, failure = self._attempt(webhook, notice)
        if isinstance(failure, httpx.TimeoutException):
            self._pause(notice.workspace_id)
        if failure:
            raise failure
        count(Metric.NOTICES_SENT)
        logger.info("Notice sent", notice_id=notice.id, workspace_id=notice.workspace_id)

    def _attempt(self, webhook: Webhook, notice: Notice) -> tuple[Attempt, Exception | None]:
        """Call the webhook, and keep what came of it; with the failure, if it did not succeed."""
        body = json.dumps({"type": notice.event, "timestamp": notice.at, "data": notice.data})
        headers = signed(webhook, notice.id, int(time.time()), body)
        at, started = datetime.now(UTC).isoformat(timespec="milliseconds"), time.perf_counter()
        status: int | None = None
        failure: Exception | None = None
        try:
            # What it says beside its status is not read, however much that would be.
            with self._http.stream("POST", webhook.url, content=body, headers=headers) as answer:
                status = answer.status_code
                # A redirect is no success, either.
                if not answer.is_success:
                    failure = httpx.HTTPError(f"status {status}")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            failure = error
        attempt = Attempt(
            notice.id,
            notice.event,
            at,
            round((time.perf_counter() - started) * 1000),
            status,
            words_of(failure, status, self._http.seconds) if failure else "",
        )
        self._note(notice.workspace_id, webhook, attempt)
        return attempt, failure

    def _note(self, workspace_id: str, webhook: Webhook, attempt: Attempt) -> None:
        """It is for people alone: where it fails, the notice is as it was."""
        try:
            self._store.note(workspace_id, webhook.url, attempt)
        except TABLE_ERRORS:
            logger.exception("An attempt could not be kept", notice_id=attempt.id)

    def _pause(self, workspace_id: str) -> None:
        if len(self._paused_until) >= _PAUSED_MAX:
            self._paused_until.clear()
        self._paused_until[workspace_id] = time.time() + _PAUSE


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
