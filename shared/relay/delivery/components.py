"""Delivering a workspace's containers to its sites as DevOps components, if that is enabled.

A message names the containers that changed. They are read at delivery, so messages may arrive late,
twice, or in any order.
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
    """The logo URL of each container that these messages name as changed, by container id."""
    return {
        container_id: message.logo_url
        for message in messages
        for container_id in message.containers
    }


@dataclass(frozen=True, slots=True)
class ComponentsResult:
    """The components that were not delivered.

    `at_fault`: the reason by id, for those that fail although the site accepts others. `waiting`:
    the ids of those left because nothing more may be sent now.
    """

    at_fault: Mapping[str, str] = field(default_factory=dict)
    waiting: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Denied(Suspect):
    """Refused as Jira refuses an app without the module; `status` is for the log."""

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
    """Deliver the current state of these containers; deleted ones are deleted in Jira.

    `logos` are logo URLs by container id. `suspected`: all of them failed before while the site
    accepted others. Components that Jira refuses are logged and dropped: it would refuse them
    again, and incidents show without the components' names. Jira refuses all of them if the app's
    descriptor lacks the module. A failing component is never treated as the site's trouble.
    """
    # Set before the read: a later read then has a higher sequence, and Jira keeps the higher one.
    sequence = time.time_ns() // 1_000_000
    existing = containers.get_all(workspace_id, logos) if logos else []
    components = [component_of(one, logos[one.id], sequence) for one in existing]
    gone = sorted(logos.keys() - {one.id for one in existing})
    answers = {**_submitted(session, components), **_deleted(session, gone)}
    return _result(answers, suspected)


def _result(answers: Mapping[str, Answer], suspected: bool) -> ComponentsResult:
    """Drop denied components, unless an answer shows that the app has the module."""
    has_module = suspected or any(
        isinstance(answer, SubmitAnswer | Refused | TooLarge | Failed)
        for answer in answers.values()
    )
    denied = {one: answer for one, answer in answers.items() if isinstance(answer, _Denied)}
    if denied and not has_module:
        _report_refusal(next(iter(denied.values())).status)
    dropped = set() if has_module else denied.keys()
    return ComponentsResult(
        {
            one: answer.reason
            for one, answer in answers.items()
            if isinstance(answer, Suspect) and one not in dropped
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
        return TooLarge(_refusal_messages(error, request))
    except RequestRefused as error:
        return Refused(_refusal_messages(error, request))
    count(Metric.COMPONENTS_REFUSED, len(answer.failed))
    logger.info("Delivered components", sent=len(request.states), failed=len(answer.failed))
    return answer


def _deleted(session: SiteSession, component_ids: Sequence[str]) -> dict[str, Answer]:
    """The answers by id. Components that Jira did not have are left out: nothing is owed for them,
    and a 404 does not show that the app has the module."""
    answers: dict[str, Answer] = {}
    in_a_row = 0
    for index, component_id in enumerate(component_ids):
        try:
            answer = _deletion(session, component_id)
        except Stopped as stopped:
            return answers | dict.fromkeys(component_ids[index:], Failed(stopped.reason))
        if answer:
            answers[component_id] = answer
        in_a_row = in_a_row + 1 if isinstance(answer, Suspect) else 0
        if answer and in_a_row == ALONE_MAX:
            return answers | dict.fromkeys(component_ids[index:], answer)
    return answers


def _deletion(session: SiteSession, component_id: str) -> Answer | None:
    """None if Jira did not have the component. Raises Stopped."""
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
        _report_refusal(error.reason)
        return Refused(error.messages or (error.message,))
    return SubmitAnswer(frozenset({component_id}), {}, ())


def _requests(components: Sequence[Mapping[str, Any]], size: int) -> list[_Request]:
    return [_Request(components[start : start + size]) for start in range(0, len(components), size)]


def _refusal_messages(error: JiraAnswered, request: _Request) -> tuple[str, ...]:
    if len(request.states) == 1:
        _report_refusal(error.reason)
    return error.messages or (error.message,)


def _report_refusal(reason: str) -> None:
    logger.error("Jira refused components", reason=reason)
    count(Metric.COMPONENTS_REFUSED)
