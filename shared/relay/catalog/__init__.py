"""Workspaces of the operations tool, and what they contain."""

from relay.catalog.workspaces import Workspace, WorkspaceDocument, WorkspaceStore

__all__ = ["Workspace", "WorkspaceDocument", "WorkspaceStore"]
