"""API keys."""

from typing import Annotated

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation, Parameter
from infra.openapi.parameters import AFTER, LIMIT, WORKSPACE_ID
from infra.openapi.schemas import ABSENT, Shape
from infra.openapi.template import Route
from relay.edge.documents import KEY_ID_PATTERN, KeyRequest
from relay.entities import WorkspaceId
from relay.entities.fields import DateTime
from relay.errors import BadRequest, Detail

TAG = "API keys"

KeyId = Annotated[str, Field(pattern=KEY_ID_PATTERN)]


class MadeKey(Shape):
    """The one answer that ever holds the key itself."""

    key: str


class Key(Shape):
    """`workspaces` is null for a key to all of them."""

    id: KeyId
    name: str
    workspaces: list[WorkspaceId] | None
    createdAt: DateTime


class KeyPage(Shape):
    """`next`, where there is one, is `after` of the page that follows, which may be empty."""

    keys: list[Key]
    next: str = ABSENT


_KEY = {
    "id": "0123456789abcdef",
    "name": "Importer",
    "workspaces": [WORKSPACE_ID],
    "createdAt": "2026-01-15T08:00:00.000000+00:00",
}
_KEY_FOR_ALL = _KEY | {"id": "fedcba9876543210", "name": "", "workspaces": None}
_NO_KEY_ID = BadRequest(
    "This is no id of a key.",
    [Detail("keyId", "pattern", "16 characters of 0-9 a-f, as the list of keys has them")],
)

OPERATIONS = (
    Operation(
        Route("POST", "/v1/keys"),
        "makeKey",
        TAG,
        Caller.PROVIDER,
        "Make a key, for some workspaces or for all",
        [Answer(201, "The key; it can't be shown again.", MadeKey)],
        [
            Example(
                "for one workspace",
                201,
                body={"name": "Importer", "workspaces": [WORKSPACE_ID]},
                answer={"key": "relay_0123456789abcdef_" + "x" * 43},
            ),
            Example(
                "for all",
                201,
                body={"name": "Operator", "allWorkspaces": True},
                answer={"key": "relay_fedcba9876543210_" + "x" * 43},
            ),
        ],
        body=KeyRequest,
        errors=[errors.BAD_BODY],
    ),
    Operation(
        Route("GET", "/v1/keys"),
        "listKeys",
        TAG,
        Caller.PROVIDER,
        "List the keys, without their secrets",
        [Answer(200, "A page, by age; the pages themselves are in no order.", KeyPage)],
        [Example("two", 200, answer={"keys": [_KEY_FOR_ALL, _KEY]})],
        parameters=[LIMIT, AFTER],
        errors=[errors.BAD_QUERY],
    ),
    Operation(
        Route("DELETE", "/v1/keys/{keyId}"),
        "revokeKey",
        TAG,
        Caller.PROVIDER,
        "Revoke a key",
        [Answer(204, "The key is unknown from now on.")],
        [Example("key", 204, {"keyId": "0123456789abcdef"})],
        parameters=[Parameter("keyId", KeyId, "The key's id, and not the key.")],
        errors=[_NO_KEY_ID],
    ),
)
