"""API keys."""

from typing import Annotated

from pydantic import Field

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation, Parameter
from infra.openapi.parameters import AFTER, LIMIT, WORKSPACE_ID
from infra.openapi.schemas import Page, Shape
from infra.openapi.template import Route
from relay.edge.documents import KEY_ID_PATTERN, KeyRequest
from relay.edge.query import PAGE_MAX
from relay.entities.fields import DateTime, WorkspaceId
from relay.errors import BadRequest, Detail

TAG = "API keys"

KeyId = Annotated[str, Field(pattern=KEY_ID_PATTERN)]


class MadeKey(Shape):
    """The one answer that ever holds the key itself."""

    key: str
    """The key, for the header `Authorization: Bearer`; between its first and second `_` is its
    id."""


class Key(Shape):
    """An API key, without its secret."""

    id: KeyId
    """The key's id, by which it can be revoked."""
    name: str
    """What the key is for, as whoever made it said."""
    workspaces: list[WorkspaceId] | None
    """The ids of the workspaces that it opens; null for a key to all of them."""
    createdAt: DateTime
    """When the key was made."""


class KeyPage(Page):
    """A page of keys."""

    keys: Annotated[list[Key], Field(max_length=PAGE_MAX)]
    """The keys of this page, by age."""


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
