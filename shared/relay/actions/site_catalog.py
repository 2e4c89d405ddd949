"""The part of the catalog that a site may see."""

from collections.abc import Collection

from relay.catalog import Container, ContainerStore, Workspace, WorkspaceStore
from relay.catalog.containers import normalized
from relay.errors import NotFound
from relay.tenants import LinkStore


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

    def container_at(self, tenant_id: str, url: str) -> tuple[str, Container]:
        """The container of this URL in one of the site's linked workspaces, and that workspace's
        id. Raises NotFound."""
        for workspace_id in self._links.workspaces_of(tenant_id):
            container = self._containers.find_by_url(workspace_id, url)
            if container is not None:
                return workspace_id, container
        raise NotFound("There is no component at this URL.", code="unknown_component")

    def containers(
        self, tenant_id: str, query: str, workspace_id: str | None = None
    ) -> list[Container]:
        """Containers of the site's linked workspaces, or of one of them (see `search`)."""
        linked = self._links.workspaces_of(tenant_id)
        searched = [one for one in linked if workspace_id in (None, one)]
        return self._containers.search(searched, query)
