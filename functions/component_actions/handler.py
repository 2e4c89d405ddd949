"""Jira's actions associate and disassociate of DevOps components."""

from relay.actions.site_catalog import SiteCatalog, at_site
from relay.catalog.containers import ContainerStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.action_documents import component_answer, component_url, logo_url
from relay.edge.answer import Answer
from relay.edge.http import HttpFunction
from relay.edge.wiring import ForgeParts
from relay.queues.submissions import ComponentChanges, SubmissionsQueue
from relay.settings import ComponentActionsSettings

settings = ComponentActionsSettings.from_environment()
parts = ForgeParts(settings)
containers = ContainerStore(parts.dynamodb, settings.catalog_table)
catalog = SiteCatalog(
    parts.links, WorkspaceStore(parts.dynamodb, settings.catalog_table), containers
)
components = ComponentChanges(
    SubmissionsQueue(parts.sqs, settings.submissions_queue),
    settings.components_module == "on",
)
site = parts.site

handler = HttpFunction(settings.base_url)


@handler.post("/components/associate", query=("userId",))
def associate_component() -> Answer:
    """A user associates a DevOps component with an issue.

    Relay finds it by its URL, among the containers of the site's workspaces. It stores neither the
    issue nor the user: Jira's shape has no field for them.
    """
    return send_component()


@handler.post("/components/disassociate", query=("userId",))
def disassociate_component() -> Answer:
    """A user removes a DevOps component from an issue.

    Relay finds it by its URL, among the containers of the site's workspaces. It stores neither the
    issue nor the user: Jira's shape has no field for them.
    """
    return send_component()


def send_component() -> Answer:
    """Jira expects Relay to send the component again, and to answer with it."""
    caller, request = handler.caller(site)
    link, container = catalog.container_at(caller.tenant.id, component_url(request.body))
    components.queue(link.workspace_id, [container.id], logo_url(request), handler.correlation_id)
    return component_answer(at_site(container, link.ids), request)
