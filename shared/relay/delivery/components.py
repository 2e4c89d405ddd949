"""Bringing a workspace's containers to its sites as DevOps components, where that is on.

A message says which containers changed. What they are is read when it is delivered, so that
messages may come late, twice, or in any order.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from relay.catalog import ContainerStore, component_of
from relay.delivery.message import Message
from relay.delivery.sites import Site
from relay.errors import Unavailable
from relay.jira import JiraError, RateLimited, SiteDown
from relay.jira.errors import JiraUnreachable
from relay.telemetry import Metric, count, logger

_PAGE = 1000
_TRY_AGAIN = (JiraUnreachable, RateLimited, SiteDown)


class ComponentsQueue(Protocol):
    def unsent(self, message: Message, delay_seconds: int = 0) -> list[Message]:
        """Returns what could not be queued."""


class Components:
    """Every call raises Unavailable where not all could be queued; repeating is safe."""

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

    def bring_all(self, workspace_id: str, logo_url: str, correlation_id: str) -> None:
        """For a new link: what the workspace has, page by page."""
        for page in self._pages(workspace_id) if self._on else ():
            self.changed(workspace_id, page, logo_url, correlation_id)

    def _pages(self, workspace_id: str) -> Iterator[list[str]]:
        after = ""
        while page := [one.id for one in self._containers.page(workspace_id, after, _PAGE)]:
            yield page
            after = page[-1]


def bring_components(site: Site, containers: ContainerStore, messages: Sequence[Message]) -> bool:
    """Bring the site what these messages say has changed; False if it has to be tried again.

    What Jira refuses, as it does without the module in its descriptor, is logged and left: it
    would be refused again, and incidents show without names all the same.
    """
    try:
        for workspace_id, logos in _changed(messages).items():
            _bring(site, containers, workspace_id, logos)
    except _TRY_AGAIN as error:
        logger.warning("Jira could not take components", reason=error.reason)
        return False
    except JiraError as error:
        logger.error("Jira refused components", reason=error.reason)
        count(Metric.COMPONENTS_REFUSED)
    return True


def _changed(messages: Sequence[Message]) -> dict[str, dict[str, str]]:
    """By workspace, the logo for each container that changed."""
    changed: dict[str, dict[str, str]] = {}
    for message in messages:
        if message.containers:
            logos = changed.setdefault(message.workspace_id, {})
            logos |= dict.fromkeys(message.containers, message.logo_url)
    return changed


def _bring(
    site: Site, containers: ContainerStore, workspace_id: str, logos: dict[str, str]
) -> None:
    # Taken before the read: who reads later has the later sequence, and Jira keeps that one.
    sequence = time.time_ns() // 1_000_000
    there = containers.get_all(workspace_id, logos)
    if there:
        components = [component_of(one, logos[one.id], sequence) for one in there]
        answer = site.jira.submit_components(components)
        count(Metric.COMPONENTS_REFUSED, len(answer.failed))
        logger.info("Brought components", sent=len(components), failed=len(answer.failed))
    for component_id in logos.keys() - {one.id for one in there}:
        site.jira.delete_component(component_id)
