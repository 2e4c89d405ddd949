"""Bringing a workspace's containers to its sites as DevOps components, where that is on.

A message says which containers changed. What they are is read when it is delivered, so that
messages may come late, twice, or in any order.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from relay.catalog.components import component_of
from relay.catalog.containers import ContainerStore
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
from relay.delivery.session import RequestSuspected, SiteSession, Stopped
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
from relay.queues.submissions import Message
from relay.telemetry import Metric, count, logger


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
class _Denied(Suspect):
    """Refused as Jira does it without the module; `status` is for the log."""

    status: str = ""


@dataclass(frozen=True, slots=True)
class _Request:
    states: Sequence[Mapping[str, Any]]
    kind: str = "component"

    def of(self, states: Sequence[Mapping[str, Any]]) -> "_Request":
        return _Request(states)

    def cut(self, too_large: "_Request") -> "list[_Request]":
        size = max(len(too_large.states) // 2, 1)
        return _requests(self.states, size)


def deliver_components(
    session: SiteSession,
    containers: ContainerStore,
    workspace_id: str,
    logos: Mapping[str, str],
    suspected: bool = False,
) -> ComponentsResult:
    """Bring the site these containers as they are now. `suspected`: all of them failed before
    while the site took others.

    What Jira refuses, as it does all of them without the module in its descriptor, is logged and
    left: it would be refused again, and incidents show without names all the same. So they do
    without what fails although the site answers: never is the site blamed for that.
    """
    # Taken before the read: who reads later has the later sequence, and Jira keeps that one.
    sequence = time.time_ns() // 1_000_000
    there = containers.get_all(workspace_id, logos) if logos else []
    components = [component_of(one, logos[one.id], sequence) for one in there]
    gone = sorted(logos.keys() - {one.id for one in there})
    answers = {**_submitted(session, components), **_deleted(session, gone)}
    return _result(answers, suspected)


def _result(answers: Mapping[str, Answer], suspected: bool) -> ComponentsResult:
    """By id; what was denied is left only where nothing says that Jira has the module."""
    is_module_there = suspected or any(
        isinstance(answer, SubmitAnswer | Refused | TooLarge | Failed)
        for answer in answers.values()
    )
    denied = {one: answer for one, answer in answers.items() if isinstance(answer, _Denied)}
    if denied and not is_module_there:
        _refused(next(iter(denied.values())).status)
    left = set() if is_module_there else denied.keys()
    return ComponentsResult(
        {
            one: answer.reason
            for one, answer in answers.items()
            if isinstance(answer, Suspect) and one not in left
        },
        [one for one, answer in answers.items() if isinstance(answer, Failed)],
    )


def _submitted(session: SiteSession, components: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    protocol = settle(_requests(components, COMPONENTS_MAX), suspected=True)
    try:
        request = next(protocol)
        while True:
            try:
                answer: Answer = _sent(session, request)
            except Stopped as stopped:
                answer = Failed(stopped.reason)
            request = protocol.send(answer)
    except StopIteration as end:
        settled: Settled[_Request] = end.value
    return {component["id"]: answer for request, answer in settled for component in request.states}


def _sent(session: SiteSession, request: _Request) -> Answer:
    try:
        answer = session.call(
            lambda: session.jira.submit_components(request.states),
            NO_COMPONENTS_MODULE,
            holds_entities=True,
        )
    except RequestSuspected as suspected:
        return Suspect(suspected.reason)
    except NO_COMPONENTS_MODULE as error:
        return _Denied(error.message, status=error.reason)
    except RequestTooLarge as error:
        return TooLarge(_refused_words(error, request))
    except RequestRefused as error:
        return Refused(_refused_words(error, request))
    count(Metric.COMPONENTS_REFUSED, len(answer.failed))
    logger.info("Brought components", sent=len(request.states), failed=len(answer.failed))
    return answer


def _deleted(session: SiteSession, component_ids: Sequence[str]) -> dict[str, Answer]:
    """Of what was gone before, nothing is said: it is deleted, and proves nothing."""
    answers: dict[str, Answer] = {}
    in_a_row = 0
    for place, component_id in enumerate(component_ids):
        try:
            answer = _deletion(session, component_id)
        except Stopped as stopped:
            return answers | dict.fromkeys(component_ids[place:], Failed(stopped.reason))
        if answer:
            answers[component_id] = answer
        in_a_row = in_a_row + 1 if isinstance(answer, Suspect) else 0
        if answer and in_a_row == ALONE_MAX:
            return answers | dict.fromkeys(component_ids[place:], answer)
    return answers


def _deletion(session: SiteSession, component_id: str) -> Answer | None:
    """None where it was gone. Raises Stopped."""
    try:
        session.call(
            partial(session.jira.delete_component, component_id),
            NO_COMPONENTS_MODULE,
            holds_entities=True,
        )
    except RequestSuspected as suspected:
        return Suspect(suspected.reason)
    except AccessRefused as error:
        return _Denied(error.message, status=error.reason)
    except NothingThere:
        return None
    except JiraAnswered as error:
        _refused(error.reason)
        return Refused(error.messages or (error.message,))
    return SubmitAnswer(frozenset({component_id}), {}, ())


def _requests(components: Sequence[Mapping[str, Any]], size: int) -> list[_Request]:
    return [_Request(components[start : start + size]) for start in range(0, len(components), size)]


def _refused_words(error: JiraAnswered, request: _Request) -> tuple[str, ...]:
    if len(request.states) == 1:
        _refused(error.reason)
    return error.messages or (error.message,)


def _refused(reason: str) -> None:
    logger.error("Jira refused components", reason=reason)
    count(Metric.COMPONENTS_REFUSED)
