"""A source's tool, which proves by the address it calls that it may speak for the source.

Whether it also signs is the source's own matter: see `relay.provider.source_intake`.
"""

from dataclasses import dataclass

from relay.catalog.sources import Source, SourceStore
from relay.catalog.workspaces import Workspace, WorkspaceStore
from relay.errors import Conflict, NotFound, Unauthenticated
from relay.identity.caller import Request


@dataclass(frozen=True, slots=True)
class SourceCaller:
    """The source that was called, and its workspace."""

    source: Source
    workspace: Workspace


class SourceAddressVerifier:
    """Verifies `/sources/{address}`: 256 random bits, of which Relay knows the hash."""

    def __init__(self, sources: SourceStore, workspaces: WorkspaceStore) -> None:
        self._sources = sources
        self._workspaces = workspaces

    def verify(self, request: Request) -> SourceCaller:
        """Raises Unauthenticated for an unknown address, also if its workspace has been deleted or
        is being erased; an AWS error."""
        try:
            source = self._sources.at(request.raw_path.rpartition("/")[2])
            return SourceCaller(source, self._workspaces.get(source.workspace_id))
        except (NotFound, Conflict) as error:
            raise Unauthenticated(error.message) from None
