"""Documents of Forge's calls, in."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from relay.edge.documents import parsed
from relay.edge.query import first_query_value
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request

_ID_MAX = 255

# Forge's own ids are numbers.
MigrationId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(min_length=1, max_length=_ID_MAX),
]


class MigrationRequest(BaseModel):
    """The fields that Relay uses; Forge sends more, and may send others yet."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    migrationId: MigrationId
    location: Annotated[str, Field(max_length=50)] = ""


def migration_request(request: Request) -> MigrationRequest:
    return parsed(MigrationRequest, request, "a migration's")


def migration_id_of(request: Request) -> str:
    """Raises BadRequest without one."""
    migration_id = first_query_value(request, "migrationId") or ""
    if not 0 < len(migration_id) <= _ID_MAX:
        raise BadRequest("Which migration?", [Detail("migrationId", "missing", "The query has it")])
    return migration_id
