"""Ids at a site: how the ids of a workspace's entities and containers appear in Jira.

Jira identifies an entity by its id, per app and site. Two workspaces of one site must never refer
to the same entity, so an id at a site is the workspace's key, which is never given to another
workspace, a full stop, and the operations tool's own id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The characters of a key, and the full stop after it, are valid in URLs and in Jira's patterns for
# ids.
KEY_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
KEY_CHARACTERS = 8
KEY_LENGTH = KEY_CHARACTERS + 1
# Every submission to Jira has this property, so that one call deletes a workspace from a site. Its
# value is the workspace's key.
WORKSPACE_PROPERTY = "relayWorkspace"

_KEYED = re.compile(rf"[{KEY_ALPHABET}]{{{KEY_CHARACTERS}}}\.", re.ASCII)
# Fields of incidents and reviews that contain ids of the same workspace.
_LISTS_OF_IDS = ("affectedComponents", "reviews")


@dataclass(frozen=True, slots=True)
class WorkspaceIds:
    """Converts ids between the operations tool's own and those at a site.

    `plain` ids are the same at both. They serve a site that already has entities with such ids from
    an earlier app; it can be linked to one workspace only.
    """

    key: str
    plain: bool = False

    @property
    def properties(self) -> dict[str, str]:
        """The property of every submission to Jira that names the workspace."""
        return {WORKSPACE_PROPERTY: self.key}

    def at_site(self, own_id: str) -> str:
        """The id at the site."""
        return own_id if self.plain else f"{self.key}.{own_id}"

    def own(self, site_id: str) -> str | None:
        """The operations tool's own id; None for an id that is not of this workspace."""
        if self.plain:
            return site_id
        key, _, own_id = site_id.partition(".")
        return own_id if own_id and key == self.key else None

    def entity_at_site(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        """The incident or review with the ids at the site, its own and those in its lists."""
        lists = {
            name: [self.at_site(one) for one in entity[name]]
            for name in _LISTS_OF_IDS
            if name in entity
        }
        return {**entity, "id": self.at_site(entity["id"]), **lists}

    def own_entity(self, entity: Mapping[str, Any]) -> dict[str, Any] | None:
        """A site's incident or review with the operations tool's own ids; None if it is not of this
        workspace. Ids of other workspaces are removed from its lists."""
        own_id = self.own(entity["id"])
        if own_id is None:
            return None
        lists = {
            name: [own for one in entity[name] if (own := self._own_of(one)) is not None]
            for name in _LISTS_OF_IDS
            if isinstance(entity.get(name), list)
        }
        return {**entity, "id": own_id, **lists}

    def _own_of(self, value: Any) -> str | None:
        return self.own(value) if isinstance(value, str) else None


def bytes_at_site(entity: Mapping[str, Any]) -> int:
    """The most bytes of JSON that the workspace's key adds to this entity's ids."""
    ids = 1 + sum(len(entity.get(name, ())) for name in _LISTS_OF_IDS)
    return ids * KEY_LENGTH


def without_key(site_id: str) -> str:
    """The id without a workspace key, for links that users follow; it does not check whose key."""
    return site_id[KEY_LENGTH:] if _KEYED.match(site_id) else site_id
