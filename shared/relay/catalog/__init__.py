"""Workspaces of the operations tool, what they contain, and whom to tell of associations."""

from relay.catalog.components import component_of
from relay.catalog.containers import Container, ContainerDocument, ContainerStore
from relay.catalog.webhooks import Attempt, Webhook, WebhookDocument, WebhookStore
from relay.catalog.workspaces import Workspace, WorkspaceDocument, WorkspaceStore

__all__ = [
    "Attempt",
    "Container",
    "ContainerDocument",
    "ContainerStore",
    "Webhook",
    "WebhookDocument",
    "WebhookStore",
    "Workspace",
    "WorkspaceDocument",
    "WorkspaceStore",
    "component_of",
]
