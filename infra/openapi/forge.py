"""Forge's own calls: an installation's life, its system tokens, and the residency of its data."""

from typing import Annotated

from pydantic import Field

from infra.openapi.operation import Answer, Caller, Example, Operation, Parameter
from infra.openapi.schemas import Shape
from infra.openapi.template import Route
from relay.actions.residency import MigrationRefused
from relay.edge.forge_documents import MigrationId, MigrationRequest
from relay.errors import BadRequest, Detail

TAG = "Forge"

# Forge's own ids are numbers; text is taken, too.
AnyId = Annotated[MigrationId, Field(json_schema_extra={"type": ["integer", "string"]})]


class Migration(MigrationRequest):
    """Forge sends more, of which nothing is read."""

    migrationId: AnyId


class MigrationStatus(Shape):
    """How far a migration is."""

    status: Annotated[
        str, Field(json_schema_extra={"enum": ["scheduled", "ready-to-commit", "failed"]})
    ]
    """Of these Forge waits for `ready-to-commit` and `failed` alone."""


_SYSTEM_TOKEN = Parameter(
    "x-forge-oauth-system",
    Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,8192}$")],
    "The system token, with which the site's Jira is called. A call without one takes none away.",
    "header",
)
_MIGRATION_ID = Parameter("migrationId", AnyId, "The migration.", "query", required=True)
_ID = {"migrationId": 1024}
_TAKEN = [Answer(204, "Taken.")]
_BAD_BODY = BadRequest(
    "The body is not a migration's.", [Detail("migrationId", "missing", "Field required")]
)
_NO_ID = BadRequest("Which migration?", [Detail("migrationId", "missing", "The query has it")])
_UNKNOWN = MigrationRefused("There is no such migration.", "unknown_migration", "E0001")
_ELSEWHERE = MigrationRefused(
    "This deployment serves EU; move the site by hand.", "other_region", "E0002"
)


def _event(name: str, summary: str, description: str) -> Operation:
    return Operation(
        Route("POST", f"/forge/{name}"),
        f"forge{name.title()}",
        TAG,
        Caller.FORGE,
        summary,
        _TAKEN,
        [Example("event", 204)],
        f"{description} Of the body nothing is read: all that counts is in the token.",
        [_SYSTEM_TOKEN],
    )


def _step(name: str, summary: str, description: str = "") -> Operation:
    return Operation(
        Route("POST", f"/forge/migrations/{name}"),
        f"{name}Migration",
        TAG,
        Caller.FORGE,
        summary,
        _TAKEN,
        [Example("migration", 204, body=_ID)],
        description,
        body=Migration,
        errors=[_BAD_BODY, _UNKNOWN],
    )


# In the order in which they come to an installation.
OPERATIONS = (
    _event(
        "installed",
        "The app is installed",
        "An upsert by installationId. A site that is known, under Connect or by an earlier "
        "installation, keeps its id, its links and its record. An older token changes nothing.",
    ),
    _event("upgraded", "The app has a new major version", "As if it were installed once more."),
    _event(
        "tick",
        "A new system token, once an hour",
        "An installation that was never heard of is installed by it.",
    ),
    Operation(
        Route("POST", "/forge/migrations/schedule"),
        "scheduleMigration",
        TAG,
        Caller.FORGE,
        "A site's data shall be in another region",
        _TAKEN,
        [Example("migration", 204, body=_ID | {"location": "EU"})],
        "Taken for the regions that the deployment serves, refused for any other.",
        body=Migration,
        errors=[_BAD_BODY, _ELSEWHERE],
    ),
    _step("start", "The migration's window is open", "Nothing has to be moved."),
    Operation(
        Route("GET", "/forge/migrations/status"),
        "getMigrationStatus",
        TAG,
        Caller.FORGE,
        "How far a migration is",
        [Answer(200, "How far it is.", MigrationStatus)],
        [
            Example(
                "started", 200, query={"migrationId": "1024"}, answer={"status": "ready-to-commit"}
            )
        ],
        parameters=[_MIGRATION_ID],
        errors=[_NO_ID, _UNKNOWN],
    ),
    _step("commit", "The migration is done"),
    _step("rollback", "The migration is taken back"),
    _event(
        "uninstalled",
        "The app is about to be uninstalled",
        "The installation and its system token are forgotten; the site's links and the record "
        "stay, and what it has under Connect.",
    ),
)
