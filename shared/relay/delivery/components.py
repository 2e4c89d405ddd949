"""Bringing a workspace's containers to its sites as DevOps components, where that is on."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from relay.catalog import Container, ContainerStore, component_of
from relay.delivery.message import Message
from relay.errors import Unavailable

# Each has 26 kB of text at most, 34 in base64: this many fit a message even if nothing deflates.
_PER_MESSAGE = 25
_PAGE = 1000


class ComponentsQueue(Protocol):
    def unsent(self, message: Message, delay_seconds: int = 0) -> list[Message]:
        """Returns what could not be queued."""


class Components:
    """Every call raises Unavailable where not all could be queued; repeating is safe."""

    def __init__(self, containers: ContainerStore, queue: ComponentsQueue, on: bool) -> None:
        self._containers = containers
        self._queue = queue
        self._on = on

    def bring(
        self,
        workspace_id: str,
        containers: Sequence[Container],
        logo_url: str,
        correlation_id: str,
    ) -> None:
        for start in range(0, len(containers) if self._on else 0, _PER_MESSAGE):
            part = containers[start : start + _PER_MESSAGE]
            components = tuple(component_of(container, logo_url) for container in part)
            self._send(Message(workspace_id, correlation_id, components=components))

    def bring_all(self, workspace_id: str, logo_url: str, correlation_id: str) -> None:
        """For a new link: what the workspace has, page by page."""
        for page in self._pages(workspace_id) if self._on else ():
            self.bring(workspace_id, page, logo_url, correlation_id)

    def delete(self, workspace_id: str, container_id: str, correlation_id: str) -> None:
        if self._on:
            self._send(Message(workspace_id, correlation_id, deleted_components=(container_id,)))

    def _pages(self, workspace_id: str) -> Iterator[list[Container]]:
        after = ""
        while page := self._containers.page(workspace_id, after, _PAGE):
            yield page
            after = page[-1].id

    def _send(self, message: Message) -> None:
        if self._queue.unsent(message):
            raise Unavailable("Not all components could be queued; try again.")
