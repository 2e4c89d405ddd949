"""Sending notices to webhooks, as specified by Standard Webhooks."""

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
from relay.catalog.erasures import ErasureStore
from relay.catalog.webhooks import SECRET_PREFIX, Attempt, Webhook, WebhookStore
from relay.entities.moment import moment_of
from relay.errors import NotFound, Unavailable
from relay.outbound.client import OutboundClient
from relay.outbound.public_only import public_only
from relay.provider.webhook_failures import reason_of
from relay.queues.notices import Notice, NoticesQueue, parse_notice
from relay.table import TABLE_ERRORS
from relay.telemetry import Metric, count, logger

# The deadline of a whole call.
_SECONDS = 10.0
# The body of an answer is not read.
_ANSWER_BYTES_MAX = 0
# Seconds for which a webhook is not called after it did not answer in time.
_PAUSE = 30
_PAUSED_MAX = 1000
_RETRYABLE = (
    ValueError,
    TypeError,
    httpx.HTTPError,
    httpx.InvalidURL,
    Unavailable,
    *AWS_ERRORS,
)


def webhook_client(test_origins: Iterable[str]) -> OutboundClient:
    """A client that connects only to public addresses, and to `test_origins`.

    The address is checked at each connection, so a DNS change can't circumvent it.
    """
    return OutboundClient(_SECONDS, _ANSWER_BYTES_MAX, public_only(test_origins))


class WebhookSender:
    """Sends notices. A notice that can't be sent returns to the queue and delays no other."""

    def __init__(
        self,
        store: WebhookStore,
        erasures: ErasureStore,
        http: OutboundClient,
        queue: NoticesQueue,
    ) -> None:
        self._store = store
        self._erasures = erasures
        self._http = http
        self._queue = queue
        # By workspace id, in epoch seconds. Without it, a webhook that does not answer would make
        # every notice wait for the deadline.
        self._paused_until: dict[str, float] = {}

    def consume(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send the notices of an SQS event; returns its `batchItemFailures`. Raises nothing."""
        failed = [record for record in event["Records"] if not self._sent(record)]
        for record in failed:
            self._queue.delay(record)
        return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in failed]}

    def test(self, workspace_id: str) -> Attempt:
        """Send a test notice at once, without retries, and return the attempt.

        Raises NotFound if the workspace has no webhook.
        """
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
        except _RETRYABLE as error:
            reason = type(error).__name__
            logger.warning("Notice will be retried", message_id=record["messageId"], reason=reason)
            return False
        return True

    def _send(self, notice: Notice) -> None:
        if time.time() < self._paused_until.get(notice.workspace_id, 0):
            raise Unavailable("The workspace's webhook did not answer a moment ago.")
        webhook = self._store.get(notice.workspace_id)
        if webhook is None:
            logger.info("Notice dropped: the webhook was removed", notice_id=notice.id)
            return
        noted_at = moment_of(notice.at).timestamp() * 1000
        if self._erasures.is_erased(notice.workspace_id, noted_at):
            logger.info("Notice dropped: the workspace was erased since", notice_id=notice.id)
            return
        _, failure = self._attempt(webhook, notice)
        if isinstance(failure, httpx.TimeoutException):
            self._pause(notice.workspace_id)
        if failure:
            raise failure
        count(Metric.NOTICES_SENT)
        logger.info("Notice sent", notice_id=notice.id, workspace_id=notice.workspace_id)

    def _attempt(self, webhook: Webhook, notice: Notice) -> tuple[Attempt, Exception | None]:
        """Call the webhook and save the attempt; returns it with the failure, if any."""
        body = json.dumps({"type": notice.event, "timestamp": notice.at, "data": notice.data})
        headers = signed(webhook, notice.id, int(time.time()), body)
        at, started = datetime.now(UTC).isoformat(timespec="milliseconds"), time.perf_counter()
        status: int | None = None
        failure: Exception | None = None
        try:
            # Only the status is read: the body may be of any size.
            with self._http.stream("POST", webhook.url, content=body, headers=headers) as answer:
                status = answer.status_code
                # A redirect is not a success either.
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
            reason_of(failure, status, self._http.seconds) if failure else "",
        )
        self._save_attempt(notice.workspace_id, webhook, attempt)
        return attempt, failure

    def _save_attempt(self, workspace_id: str, webhook: Webhook, attempt: Attempt) -> None:
        """Save the attempt. It is for people only, so an error does not affect the notice."""
        try:
            self._store.note(workspace_id, webhook.url, attempt)
        except TABLE_ERRORS:
            logger.exception("An attempt could not be saved", notice_id=attempt.id)

    def _pause(self, workspace_id: str) -> None:
        if len(self._paused_until) >= _PAUSED_MAX:
            self._paused_until.clear()
        self._paused_until[workspace_id] = time.time() + _PAUSE


def signed(webhook: Webhook, notice_id: str, timestamp: int, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks; `timestamp` is in epoch seconds.

    The signature is the HMAC-SHA256 of id, timestamp and body, in base64.
    """
    key = base64.b64decode(webhook.secret.removeprefix(SECRET_PREFIX))
    content = f"{notice_id}.{timestamp}.{body}".encode()
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": notice_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
