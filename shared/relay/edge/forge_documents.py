"""Documents of Forge's calls, in."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from relay.edge.documents import parsed
from relay.edge.query import first_query_value
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request

# It becomes part of a DynamoDB key, which has its own limit. Forge's own ids are numbers.
_ID_PATTERN = r"^[\x21-\x7e]{1,255}$"
MigrationId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(pattern=_ID_PATTERN),
]


class MigrationRequest(BaseModel):
    """The fields that Relay uses; Forge sends more, and may send others yet."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    migrationId: MigrationId
    """Forge's id of the migration."""
    location: Annotated[str, Field(max_length=50)] = ""
    """Where the data shall be, such as `EU`; it comes with the first call alone."""


def migration_request(request: Request) -> MigrationRequest:
    return parsed(MigrationRequest, request, "a migration's")


def migration_id_of(request: Request) -> str:
    """Raises BadRequest without one."""
    migration_id = first_query_value(request, "migrationId") or ""
    if not re.fullmatch(_ID_PATTERN, migration_id):
        raise BadRequest("Which migration?", [Detail("migrationId", "missing", "The query has it")])
    return migration_id
