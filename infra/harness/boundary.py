"""Hooks around a worker's calls to AWS and Jira, which make calls fail and kill the process."""

import io
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

import relay.jira.client
from infra.harness.invocation import Invocation

# Divides botocore's waits between retries, which would otherwise dominate a run.
_FASTER = 20
# The deadline of a call to Jira in seconds: otherwise, a fault that hangs would cost twenty.
JIRA_SECONDS = 1.5
_ATTEMPTS_MAX = 3
_REAL_SLEEP = time.sleep
DUE = "due"


class Boundary:
    """One per worker process; `begin` sets the faults of the next invocation."""

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()
        self._random = random.Random(0)  # noqa: S311
        self._offset = 0.0
        self._rate = 0.0
        self._left: int | None = None
        self._fault: _Fault | None = None
        self._session = URLLib3Session()

    def now(self) -> float:
        """The functions' clock, in epoch seconds."""
        return time.time() + self._offset

    def install(self) -> None:
        """Installs the hooks. Call it before any client is created."""
        boto3.setup_default_session()
        # boto3's type stubs lack the default session and hooks that return answers.
        events: Any = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
        events.register("provide-client-params.sqs.SendMessage", self._undelayed)
        events.register("before-call", self._draw)
        events.register("before-send", self._intercept)
        clock: Any = time
        clock.sleep = _sleep
        relay.jira.client.DEADLINE_SECONDS = JIRA_SECONDS
        reach_jira = httpx.HTTPTransport.handle_request

        def handle_request(
            transport: httpx.HTTPTransport, request: httpx.Request
        ) -> httpx.Response:
            self._cross()
            response = reach_jira(transport, request)
            self._cross()
            return response

        transport_type: Any = httpx.HTTPTransport
        transport_type.handle_request = handle_request

    def begin(self, invocation: Invocation) -> None:
        """Resets the hooks to the faults of this invocation."""
        self.errors.clear()
        self._random.seed(invocation.seed)
        self._offset = invocation.offset
        self._rate = invocation.aws_error_rate
        self._left = invocation.dies_at
        self._fault = None

    def _cross(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _undelayed(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Replace the delay by an attribute: the run's own queues deliver by its clock."""
        due = self.now() + params.pop("DelaySeconds", 0)
        attributes = dict(params.get("MessageAttributes", {}))
        attributes[DUE] = {"DataType": "String", "StringValue": repr(due)}
        return params | {"MessageAttributes": attributes}

    def _draw(self, model: Any, **_: Any) -> None:
        """Draw once per call whether it fails, how, and in how many of botocore's attempts."""
        self._fault = None
        if self._random.random() < self._rate:
            service = str(model.service_model.service_name)
            self._fault = _Fault(self._random, service, str(model.name))

    def _intercept(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        fault = self._fault
        self._cross()
        if fault is None or not fault.attempts:
            return None
        fault.attempts -= 1
        self.errors[fault.name] += 1
        if fault.after:
            self._session.send(request)
            self._cross()
        return fault.answer(request)


class _Fault:
    """How one call to AWS fails; with `after`, AWS processes it and only the answer is lost."""

    def __init__(self, rng: random.Random, service: str, operation: str) -> None:
        self.attempts = rng.choice((1, 1, _ATTEMPTS_MAX))
        self.after = rng.random() < 0.4
        self._operation = operation
        kinds = ["InternalServerError", "connection closed", "read timeout"]
        if not self.after:
            kinds = ["ThrottlingException", "InternalServerError", "connection closed"]
            kinds += {
                "TransactWriteItems": ["TransactionConflict"] * 2,
                "BatchGetItem": ["UnprocessedKeys"] * 2,
                "BatchWriteItem": ["UnprocessedItems"] * 2,
            }.get(operation, [])
        self._kind = rng.choice(kinds)
        self.name = f"{service}: {self._kind}{', answer lost' if self.after else ''}"

    def answer(self, request: AWSPreparedRequest) -> AWSResponse:
        """The answer of the failed call; raises botocore's error if the connection fails."""
        if self._kind == "connection closed":
            raise ConnectionClosedError(endpoint_url=request.url)
        if self._kind == "read timeout":
            raise ReadTimeoutError(endpoint_url=request.url)
        if self._kind in ("UnprocessedKeys", "UnprocessedItems"):
            asked = json.loads(_body_of(request))["RequestItems"]
            return _answer(request, 200, {"Responses": {}, self._kind: asked})
        if self._kind == "TransactionConflict":
            return _conflict(request)
        status = 400 if self._kind == "ThrottlingException" else 500
        return _answer(request, status, {"__type": self._kind, "message": "From the chaos run."})


def _sleep(seconds: float) -> None:
    _REAL_SLEEP(seconds / _FASTER)


def _conflict(request: AWSPreparedRequest) -> AWSResponse:
    """The answer if another transaction uses the first of the items."""
    items = len(json.loads(_body_of(request))["TransactItems"])
    reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
    reasons += [{"Code": "None"} for _ in range(items - 1)]
    named = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons [{named}]"
    document = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": reasons,
    }
    return _answer(request, 400, document)


def _body_of(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    return body.encode() if isinstance(body, str) else bytes(body)


def _answer(request: AWSPreparedRequest, status: int, document: dict[str, Any]) -> AWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(document).encode()))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()
