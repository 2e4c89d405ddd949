"""Jira's actions associate and disassociate of DevOps components."""

from relay.actions.site_catalog import SiteCatalog, at_site
from relay.aws import sqs_client
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
    SubmissionsQueue(sqs_client(), settings.submissions_queue),
    settings.components_module == "on",
)

handler = HttpFunction(settings.base_url)


@handler.post("/components/associate")
@handler.post("/components/disassociate")
def send_component() -> Answer:
    """Jira asks for the component to be sent once more, and to be answered with it. Its shape has
    no place for the association, which Jira itself keeps."""
    caller, request = handler.caller(parts.site)
    link, container = catalog.container_at(caller.tenant.id, component_url(request.body))
    components.queue(link.workspace_id, [container.id], logo_url(request), handler.correlation_id)
    return component_answer(at_site(container, link.ids), request)
