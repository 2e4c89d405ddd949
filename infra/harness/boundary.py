"""Hooks around a worker's calls to AWS and Jira, which make calls fail and kill the process."""

import os
import random
import signal
import threading
import time
from collections import Counter
from typing import Any

import boto3
import httpx
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

import relay.jira.client
from infra.harness.aws_faults import Fault, ThrottledPartition, throttled_partition
from infra.harness.invocation import Invocation

# Divides botocore's waits between retries, which would otherwise dominate a run.
_FASTER = 20
# The deadline of a call to Jira in seconds: otherwise, a fault that hangs would cost twenty.
JIRA_SECONDS = 1.5
# Of the requests, the share of the rate at which a partition begins to be throttled.
_THROTTLED_SHARE = 0.3
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
        self._throttled: ThrottledPartition | None = None
        # A function's calls are made by several threads.
        self._turn = threading.Lock()
        self._calls = threading.local()
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
        jira_client: Any = relay.jira.client
        jira_client.DEADLINE_SECONDS = JIRA_SECONDS
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
        self._throttled = None

    def _cross(self) -> None:
        with self._turn:
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
        service = str(model.service_model.service_name)
        with self._turn:
            fails = self._random.random() < self._rate
            self._calls.fault = Fault(self._random, service, str(model.name)) if fails else None

    def _intercept(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        self._cross()
        throttled = self._throttle(request)
        if throttled:
            return throttled
        fault: Fault | None = self._calls.fault
        if fault is None or not fault.attempts:
            return None
        fault.attempts -= 1
        with self._turn:
            self.errors[fault.name] += 1
        if fault.after:
            self._session.send(request)
            self._cross()
        return fault.answer(request)

    def _throttle(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """The answer if the request uses a throttled partition; now and then, one of its own is."""
        with self._turn:
            if self._throttled is None and self._random.random() < self._rate * _THROTTLED_SHARE:
                self._throttled = throttled_partition(request, self._random)
            answer = self._throttled.answer(request) if self._throttled else None
            if answer:
                self.errors["dynamodb: partition throttled"] += 1
            if self._throttled and self._throttled.requests == 0:
                self._throttled = None
            return answer


def _sleep(seconds: float) -> None:
    _REAL_SLEEP(seconds / _FASTER)
