"""Bringing a workspace's containers to its sites as DevOps components, where that is on.

A message says which containers changed. What they are is read when it is delivered, so that
messages may come late, twice, or in any order.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from relay.catalog import ContainerStore, component_of
from relay.delivery.isolation import (
    ALONE_MAX,
    Answer,
    Failed,
    Refused,
    Settled,
    Suspect,
    TooLarge,
    settle,
)
from relay.delivery.message import Message
from relay.delivery.visit import Stopped, Suspected, Visit
from relay.errors import Unavailable
from relay.jira.answers import SubmitAnswer
from relay.jira.client import COMPONENTS_MAX
from relay.jira.errors import (
    AccessRefused,
    JiraAnswered,
    NothingThere,
    RequestRefused,
    RequestTooLarge,
)
from relay.jira.workspace_jira import NO_COMPONENTS_MODULE
from relay.telemetry import Metric, count, logger


class ComponentsQueue(Protocol):
    def unsent(self, message: Message, delay_seconds: int = 0) -> list[Message]:
        """Returns what could not be queued."""


class Components:
    """Raises Unavailable where not all could be queued; repeating is safe."""

    def __init__(self, containers: ContainerStore, queue: ComponentsQueue, on: bool) -> None:
        self._containers = containers
        self._queue = queue
        self._on = on

    def changed(
        self,
        workspace_id: str,
        container_ids: Sequence[str],
        logo_url: str,
        correlation_id: str,
    ) -> None:
        """Containers were put or deleted; one without an avatar will show the logo."""
        message = Message(
            workspace_id, correlation_id, containers=tuple(container_ids), logo_url=logo_url
        )
        if self._on and self._queue.unsent(message):
            raise Unavailable("Not all components could be queued; try again.")


def logos_of(messages: Sequence[Message]) -> dict[str, str]:
    """The logo for each container that these messages say has changed."""
    return {
        container_id: message.logo_url
        for message in messages
        for container_id in message.containers
    }


@dataclass(frozen=True, slots=True)
class ComponentsResult:
    """By id: what is `at_fault`, with why; what is `waiting`, as nothing more may be sent now."""

    at_fault: Mapping[str, str] = field(default_factory=dict)
    waiting: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Request:
    states: Sequence[Mapping[str, Any]]
    kind: str = "component"

    def of(self, states: Sequence[Mapping[str, Any]]) -> "_Request":
        return _Request(states)

    def cut(self, too_large: "_Request") -> "list[_Request]":
        size = max(len(too_large.states) // 2, 1)
        return _requests(self.states, size)


def bring_components(
    visit: Visit,
    containers: ContainerStore,
    workspace_id: str,
    logos: Mapping[str, str],
    suspected: bool = False,
) -> ComponentsResult:
    """Bring the site these containers as they are now. `suspected`: all of them failed before
    while the site took others.

    What Jira refuses, as it does without the module in its descriptor, is logged and left: it
    would be refused again, and incidents show without names all the same. So they do without what
    fails although the site answers: never is the site blamed for that.
    """
    # Taken before the read: who reads later has the later sequence, and Jira keeps that one.
    sequence = time.time_ns() // 1_000_000
    there = containers.get_all(workspace_id, logos) if logos else []
    components = [component_of(one, logos[one.id], sequence) for one in there]
    try:
        submitted = _submitted(visit, components, suspected)
        gone = sorted(logos.keys() - {one.id for one in there})
        deleted = _deleted(visit, gone, suspected)
    except NO_COMPONENTS_MODULE as error:
        _refused(error)
        return ComponentsResult()
    return ComponentsResult(
        {**submitted.at_fault, **deleted.at_fault}, {*submitted.waiting, *deleted.waiting}
    )


def _submitted(
    visit: Visit, components: Sequence[Mapping[str, Any]], suspected: bool
) -> ComponentsResult:
    """Raises AccessRefused, where all is refused by it."""
    denied: AccessRefused | None = None
    protocol = settle(_requests(components, COMPONENTS_MAX), suspected=True)
    try:
        request = next(protocol)
        while True:
            try:
                answer: Answer = _sent(visit, request)
            except AccessRefused as error:
                denied = error
                answer = Suspect(error.message)
            except Stopped as stopped:
                answer = Failed(stopped.reason)
            request = protocol.send(answer)
    except StopIteration as end:
        settled: Settled[_Request] = end.value
    not_denied = any(isinstance(answer, SubmitAnswer | Refused | Failed) for _, answer in settled)
    if denied and not (not_denied or suspected):
        raise denied
    each = [
        (component["id"], answer) for request, answer in settled for component in request.states
    ]
    return ComponentsResult(
        {one: answer.reason for one, answer in each if isinstance(answer, Suspect)},
        [one for one, answer in each if isinstance(answer, Failed)],
    )


def _sent(visit: Visit, request: _Request) -> Answer:
    try:
        answer = visit.call(
            lambda: visit.jira.submit_components(request.states),
            NO_COMPONENTS_MODULE,
            holds_entities=True,
        )
    except Suspected as suspected:
        return Suspect(suspected.reason)
    except RequestTooLarge as error:
        return TooLarge(_refused_words(error, request))
    except RequestRefused as error:
        return Refused(_refused_words(error, request))
    count(Metric.COMPONENTS_REFUSED, len(answer.failed))
    logger.info("Brought components", sent=len(request.states), failed=len(answer.failed))
    return answer


def _deleted(visit: Visit, component_ids: Sequence[str], suspected: bool) -> ComponentsResult:
    """Raises AccessRefused, where all is refused by it."""
    at_fault: dict[str, str] = {}
    denied: AccessRefused | None = None
    in_a_row = 0
    passed = False
    reason = ""
    for place, component_id in enumerate(component_ids):
        if in_a_row == ALONE_MAX:
            at_fault[component_id] = reason
            continue
        try:
            visit.call(
                partial(visit.jira.delete_component, component_id),
                NO_COMPONENTS_MODULE,
                holds_entities=True,
            )
        except (AccessRefused, Suspected) as error:
            denied = error if isinstance(error, AccessRefused) else denied
            reason = error.message if isinstance(error, AccessRefused) else error.reason
            at_fault[component_id] = reason
            in_a_row += 1
            continue
        except Stopped:
            return ComponentsResult(at_fault, component_ids[place:])
        except NothingThere:
            # Gone is deleted.
            pass
        except JiraAnswered as error:
            _refused(error)
        passed, in_a_row = True, 0
    if denied and not (passed or suspected):
        raise denied
    return ComponentsResult(at_fault)


def _requests(components: Sequence[Mapping[str, Any]], size: int) -> list[_Request]:
    return [_Request(components[start : start + size]) for start in range(0, len(components), size)]


def _refused_words(error: JiraAnswered, request: _Request) -> tuple[str, ...]:
    if len(request.states) == 1:
        _refused(error)
    return error.messages or (error.message,)


def _refused(error: JiraAnswered) -> None:
    logger.error("Jira refused components", reason=error.reason)
    count(Metric.COMPONENTS_REFUSED)
