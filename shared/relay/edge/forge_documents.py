"""Documents of Forge's calls."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from relay.edge.documents import parsed
from relay.edge.query import first_query_value
from relay.errors import BadRequest, Detail
from relay.identity.caller import Request

# It becomes part of a DynamoDB key, whose length is limited. Forge's own ids are numbers.
_ID_PATTERN = r"^[\x21-\x7e]{1,255}$"
MigrationId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(pattern=_ID_PATTERN),
]


class MigrationRequest(BaseModel):
    """The fields that Relay uses; Forge sends more."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    migrationId: MigrationId
    """Forge's id of the migration."""
    location: Annotated[str, Field(max_length=50)] = ""
    """The region that the data moves to, such as `EU`; only in the first call."""


def migration_request(request: Request) -> MigrationRequest:
    """Raises BadRequest, TooLarge, UnsupportedMedia."""
    return parsed(MigrationRequest, request, "a migration")


def migration_id_of(request: Request) -> str:
    """The query's `migrationId`. Raises BadRequest if it is missing or not valid."""
    migration_id = first_query_value(request, "migrationId") or ""
    if not re.fullmatch(_ID_PATTERN, migration_id):
        rule = Detail("migrationId", "missing", "1 to 255 printable ASCII characters in the query")
        raise BadRequest("`migrationId` is missing or too long.", [rule])
    return migration_id
