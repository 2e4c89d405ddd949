"""Forge's data residency migrations."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from relay.edge.forge_documents import MigrationId, MigrationRequest

# Forge's own ids are numbers; Relay accepts strings, too.
AnyId = Annotated[MigrationId, Field(json_schema_extra={"type": ["integer", "string"]})]


class Migration(MigrationRequest):
    """A migration. Forge sends more fields; Relay does not read them."""

    migrationId: AnyId


class MigrationStatus(TypedDict):
    """The state of a migration."""

    status: Annotated[
        str, Field(json_schema_extra={"enum": ["scheduled", "ready-to-commit", "failed"]})
    ]
    """Forge waits for `ready-to-commit` or `failed`."""
