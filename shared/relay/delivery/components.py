"""Bringing a workspace's containers to its sites as DevOps components, where that is on.

A message says which containers changed. What they are is read when it is delivered, so that
messages may come late, twice, or in any order.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from relay.catalog import ContainerStore, component_of
from relay.delivery.message import Message
from relay.delivery.visit import Stopped, Visit
from relay.errors import Unavailable
from relay.jira.client import COMPONENTS_MAX
from relay.jira.errors import JiraError
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


def bring_components(
    visit: Visit, containers: ContainerStore, workspace_id: str, logos: Mapping[str, str]
) -> bool:
    """Bring the site these containers as they are now; False if it has to be tried again.

    What Jira refuses, as it does without the module in its descriptor, is logged and left: it
    would be refused again, and incidents show without names all the same.
    """
    try:
        _bring(visit, containers, workspace_id, logos)
    except Stopped:
        return False
    except JiraError as error:
        logger.error("Jira refused components", reason=error.reason)
        count(Metric.COMPONENTS_REFUSED)
    return True


def _bring(
    visit: Visit, containers: ContainerStore, workspace_id: str, logos: Mapping[str, str]
) -> None:
    # Taken before the read: who reads later has the later sequence, and Jira keeps that one.
    sequence = time.time_ns() // 1_000_000
    there = containers.get_all(workspace_id, logos) if logos else []
    if there:
        components = [component_of(one, logos[one.id], sequence) for one in there]
        for start in range(0, len(components), COMPONENTS_MAX):
            request = components[start : start + COMPONENTS_MAX]
            answer = visit.call(
                partial(visit.jira.submit_components, request), NO_COMPONENTS_MODULE
            )
            count(Metric.COMPONENTS_REFUSED, len(answer.failed))
            logger.info("Brought components", sent=len(request), failed=len(answer.failed))
    for component_id in logos.keys() - {one.id for one in there}:
        visit.call(partial(visit.jira.delete_component, component_id), NO_COMPONENTS_MODULE)
