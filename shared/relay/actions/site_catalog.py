"""The part of the catalog that a site may see, with ids as the site knows them."""

from collections.abc import Collection

from relay.catalog.containers import Container, ContainerStore, normalized
from relay.catalog.workspaces import Workspace, WorkspaceStore
from relay.entities.workspace_ids import WorkspaceIds
from relay.errors import NotFound
from relay.tenants.links import Link, LinkStore


class SiteCatalog:
    """A site's view of workspaces and containers. Every method raises AWS errors."""

    def __init__(
        self, links: LinkStore, workspaces: WorkspaceStore, containers: ContainerStore
    ) -> None:
        self._links = links
        self._workspaces = workspaces
        self._containers = containers

    def workspaces(
        self, tenant_id: str, ids: Collection[str] | None = None, query: str = ""
    ) -> list[Workspace]:
        """The workspaces linked or offered to the site, in the order of their ids.

        `ids` and `query`, a part of the name, narrow them down. Ids that the site may not see are
        left out.
        """
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
        """The container with this URL in one of the site's linked workspaces, and the link.

        The container has the workspace's own id. Raises NotFound.
        """
        for link in self._links.of_tenant(tenant_id):
            container = self._containers.find_by_url(link.workspace_id, url)
            if container is not None:
                return link, container
        raise NotFound("There is no component at this URL.", code="unknown_component")

    def containers(
        self, tenant_id: str, query: str, workspace_id: str | None = None
    ) -> list[Container]:
        """Containers of the site's linked workspaces, or of one of them.

        `query` is as for `ContainerStore.search`.
        """
        ids = {
            link.workspace_id: link.ids
            for link in self._links.of_tenant(tenant_id)
            if workspace_id in (None, link.workspace_id)
        }
        found = self._containers.search(ids, query)
        return [at_site(container, ids[workspace]) for workspace, container in found]


def at_site(container: Container, ids: WorkspaceIds) -> Container:
    """The container with its id as the site knows it."""
    return container.model_copy(update={"id": ids.at_site(container.id)})
