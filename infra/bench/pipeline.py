"""The whole way of an incident: submissions, SQS, event source, submitter, Jira; with latencies.

The functions run in the processes of a Fleet, whose calls to AWS have the harness's latencies. This
module runs in a subject's process, because a Fleet's environment is that of its own process.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.bench.messages import event
from infra.bench.sample import incidents, states
from infra.bench.stand import Place, Stand
from infra.harness.clock import Clock
from infra.harness.event_source import EventSource
from infra.harness.fleet import Fleet
from infra.harness.invoker import Invoker
from infra.harness.latencies import SEED_VARIABLE, Draws, install
from infra.lambdas.template import event_source_of
from infra.local.jira_control import JiraControl

# Instances of the submissions function; those of the submitter are as in the template.
ACCEPTING = 8
_SEED = "1"
# How long a load may take to arrive in Jira.
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05
# Warm-up incidents have ids of their own.
_WARM = 9_000_000


@dataclass(frozen=True)
class Given:
    """What a subject needs to know of the stage."""

    jira: str
    api_key: str
    queue: str
    log: str

    @classmethod
    def of(cls, stand: Stand) -> "Given":
        """That of the stand's stage."""
        url = str(stand.stage.jira.http.base_url).rstrip("/").removesuffix("/_control")
        queue = stand.stage.environment["SUBMISSIONS_QUEUE"]
        return cls(url, stand.stage.api_key, queue, str(stand.stage.log))


class Pipeline:
    """The running functions, and the queue between them."""

    def __init__(self, given: Given, jira: JiraControl, fleet: Fleet) -> None:
        self.jira = jira
        self._given = given
        self._invoker = Invoker(fleet, Clock(), given.api_key)
        self._sqs = boto3.client("sqs", config=Config(max_pool_connections=64))

    def deliver(self, message: dict[str, Any]) -> list[str]:
        """Invokes the submitter; returns the ids of the messages that failed."""
        result = self._invoker.run("submitter", message)
        if result.failed:
            return [record["messageId"] for record in message["Records"]]
        return [one["itemIdentifier"] for one in result.answer["batchItemFailures"]]

    @contextmanager
    def polled(self, window: float | None = None) -> Iterator[EventSource]:
        """The queue's event source; `window` in seconds replaces the template's."""
        properties = event_source_of("submitter")
        if window is not None:
            properties["MaximumBatchingWindowInSeconds"] = window
        source = EventSource(
            self._sqs,
            self._given.queue,
            properties,
            lambda message: self._invoker.run("submitter", message),
        )
        source.start()
        try:
            yield source
        finally:
            source.stop()

    def submit(self, place: Place, incidents: Sequence[dict[str, Any]]) -> float:
        """Submits incidents; returns when they were accepted, in epoch seconds."""
        path = f"/v1/workspaces/{place['workspace_id']}/submissions"
        answer = self._invoker.call("submissions", "POST", path, {"incidents": incidents})
        if answer.status != 202 or answer.document["rejected"]:
            raise RuntimeError(f"A submission was answered {answer.status}: {answer.document}")
        return time.time()

    def freshness(self, place: Place, submitted: Mapping[str, float]) -> list[float]:
        """Seconds from Relay's 202 to Jira's, of each incident; waits until all are there.

        What is not there after a minute counts with the time that it has waited.
        """
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not submitted.keys() <= (found := self._accepted(place)).keys():
            if time.monotonic() > ends:
                break
            time.sleep(_LOOK_SECONDS if len(found) < 500 else 10 * _LOOK_SECONDS)
        now = time.time()
        return [found.get(one, now) - at for one, at in submitted.items()]

    def warm_up(self, place: Place, workers: int) -> None:
        """Calls both functions in every worker: a Fleet's workers take turns."""
        for number in range(workers):
            self.submit(place, list(incidents(1, first=_WARM + number)))
        for number in range(workers):
            entities = states(1, first=_WARM + workers + number)
            if self.deliver(event(place["workspace_id"], entities)):
                raise RuntimeError("The submitter failed in the warm-up.")

    def _accepted(self, place: Place) -> dict[str, float]:
        """When each incident was accepted at the site, by the incident's own id."""
        answer = self.jira.http.get(f"/sites/{place['workspace_id']}/accepted").raise_for_status()
        return {one.partition(".")[2]: at for one, at in answer.json().items()}


@contextmanager
def pipeline(given: Given, warm: Place) -> Iterator[Pipeline]:
    """Starts the functions, and warms them up with incidents of the place `warm`."""
    install(Draws(_SEED))
    concurrency = int(event_source_of("submitter")["ScalingConfig"]["MaximumConcurrency"])
    workers = concurrency + ACCEPTING
    fleet = Fleet(workers, {**os.environ, SEED_VARIABLE: _SEED}, Path(given.log))
    try:
        with JiraControl(given.jira) as jira:
            running = Pipeline(given, jira, fleet)
            running.warm_up(warm, workers)
            yield running
    finally:
        fleet.close()
