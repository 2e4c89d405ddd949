"""Making containers of the services that sources name."""

from collections.abc import Sequence

from relay.catalog.services import ServiceStore
from relay.entities.service import KnownService
from relay.queues.submissions import Message


class ServiceContainers:
    """`components_on`: whether containers are delivered as DevOps components."""

    def __init__(self, services: ServiceStore, components_on: bool) -> None:
        self._services = services
        self._components_on = components_on

    def keep(self, workspace_id: str, messages: Sequence[Message]) -> dict[str, str]:
        """Make the containers; returns the logo URL of each that is to be delivered, by its id.
        One without is delivered with the next replay: Jira refuses a component without an avatar.

        Raises TABLE_ERRORS; repeating is safe.
        """
        named = [(one, message.logo_url) for message in messages for one in message.services]
        newest = {one.id: (one, logo) for one, logo in sorted(named, key=_changed_at)}
        if not newest:
            return {}
        changed = self._services.keep(workspace_id, [service for service, _ in newest.values()])
        logos = {one: newest[one][1] for one in changed if newest[one][1]}
        return logos if self._components_on else {}


def _changed_at(named: tuple[KnownService, str]) -> int:
    return named[0].changed_at
