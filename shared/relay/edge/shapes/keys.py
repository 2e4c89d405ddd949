"""API keys."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from relay.edge.documents import KEY_ID_PATTERN
from relay.edge.query import PAGE_MAX
from relay.edge.shapes import Page
from relay.entities.fields import DateTime, WorkspaceId

KeyId = Annotated[str, Field(pattern=KEY_ID_PATTERN)]


class MadeKey(TypedDict):
    """The new key. No other answer contains it."""

    key: str
    """The key, for the header `Authorization: Bearer`. The part between its first and second `_`
    is its id."""


class Key(TypedDict):
    """An API key, without its secret."""

    id: KeyId
    """The key's id, by which it is revoked."""
    name: str
    """The purpose of the key, as given when it was created."""
    workspaces: list[WorkspaceId] | None
    """The ids of the workspaces that the key has access to; null for all workspaces."""
    createdAt: DateTime
    """When the key was created."""


class KeyPage(Page):
    """A page of keys."""

    keys: Annotated[list[Key], Field(max_length=PAGE_MAX)]
    """The keys of this page, oldest first."""
