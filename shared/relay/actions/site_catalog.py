"""The part of the catalog that a site may see, in the ids that the site knows it by."""

from collections.abc import Collection

from relay.catalog.containers import Container, ContainerStore, normalized
from relay.catalog.workspaces import Workspace, WorkspaceStore
from relay.entities.workspace_ids import WorkspaceIds
from relay.errors import NotFound
from relay.tenants.links import Link, LinkStore


class SiteCatalog:
    def __init__(
        self, links: LinkStore, workspaces: WorkspaceStore, containers: ContainerStore
    ) -> None:
        self._links = links
        self._workspaces = workspaces
        self._containers = containers

    def workspaces(
        self, tenant_id: str, ids: Collection[str] | None = None, query: str = ""
    ) -> list[Workspace]:
        """Workspaces linked to the site or offered to it: those of `ids`, or whose name holds
        the query; all others are left out without a word."""
        visible = {*self._links.workspaces_of(tenant_id), *self._links.offers_to(tenant_id)}
        wanted = sorted(visible if ids is None else visible.intersection(ids))
        found = {workspace.id: workspace for workspace in self._workspaces.get_all(wanted)}
        part = normalized(query)
        return [
            found[workspace_id]
            for workspace_id in wanted
            if workspace_id in found and part in normalized(found[workspace_id].name)
        ]

    def container_at(self, tenant_id: str, url: str) -> tuple[Link, Container]:
        """The container of this URL in one of the site's linked workspaces, in that workspace's
        own ids, and the link. Raises NotFound."""
        for link in self._links.of_tenant(tenant_id):
            container = self._containers.find_by_url(link.workspace_id, url)
            if container is not None:
                return link, container
        raise NotFound("There is no component at this URL.", code="unknown_component")

    def containers(
        self, tenant_id: str, query: str, workspace_id: str | None = None
    ) -> list[Container]:
        """Containers of the site's linked workspaces, or of one of them (see `search`)."""
        ids = {
            link.workspace_id: link.ids
            for link in self._links.of_tenant(tenant_id)
            if workspace_id in (None, link.workspace_id)
        }
        found = self._containers.search(ids, query)
        return [at_site(container, ids[workspace]) for workspace, container in found]


def at_site(container: Container, ids: WorkspaceIds) -> Container:
    return container.model_copy(update={"id": ids.at_site(container.id)})
