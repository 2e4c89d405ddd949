"""Making containers of the services that sources name."""

from collections.abc import Sequence

from relay.catalog.services import ServiceStore
from relay.queues.submissions import Message


class ServiceContainers:
    """`components_on`: whether containers are delivered as DevOps components."""

    def __init__(self, services: ServiceStore, components_on: bool) -> None:
        self._services = services
        self._components_on = components_on

    def keep(self, workspace_id: str, messages: Sequence[Message]) -> dict[str, str]:
        """Make the containers; returns the logo URL of each that is to be delivered, by its id.

        Raises TABLE_ERRORS; repeating is safe.
        """
        newest = {
            service.id: (service, message.logo_url)
            for message in messages
            for service in sorted(message.services, key=lambda one: one.changed_at)
        }
        if not newest:
            return {}
        changed = self._services.keep(workspace_id, [service for service, _ in newest.values()])
        return {one: newest[one][1] for one in changed} if self._components_on else {}
