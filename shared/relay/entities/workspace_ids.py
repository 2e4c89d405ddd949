"""The ids of a workspace's entities and containers as a Jira site knows them.

Jira knows an entity by its id alone, per app and site. So that two workspaces of one site can never
mean the same entity, what a site gets carries its workspace in the id: the workspace's key, which
no other workspace has or will have, then the operations tool's own id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Eight characters of a key and the full stop after them: characters that no URL and none of Jira's
# patterns for ids forbids.
KEY_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
KEY_CHARACTERS = 8
KEY_LENGTH = KEY_CHARACTERS + 1
# Every submission carries this property with the workspace's key, so that all of a workspace can be
# deleted from a site at once.
WORKSPACE_PROPERTY = "relayWorkspace"

_KEYED = re.compile(rf"[{KEY_ALPHABET}]{{{KEY_CHARACTERS}}}\.", re.ASCII)
# The fields of an incident or a review that hold ids of the same workspace.
_LISTS_OF_IDS = ("affectedComponents", "reviews")


@dataclass(frozen=True, slots=True)
class WorkspaceIds:
    """The two readings of an id. `plain` ids are the same in Jira as in Relay: for a site whose one
    workspace took over an app that had sent such ids before."""

    key: str
    plain: bool = False

    @property
    def properties(self) -> dict[str, str]:
        return {WORKSPACE_PROPERTY: self.key}

    def at_site(self, own_id: str) -> str:
        return own_id if self.plain else f"{self.key}.{own_id}"

    def own(self, site_id: str) -> str | None:
        """The operations tool's id; None for one of another workspace, or of nobody."""
        if self.plain:
            return site_id
        key, _, own_id = site_id.partition(".")
        return own_id if own_id and key == self.key else None

    def entity_at_site(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        """An incident or a review as the site gets it."""
        lists = {
            name: [self.at_site(one) for one in entity[name]]
            for name in _LISTS_OF_IDS
            if name in entity
        }
        return {**entity, "id": self.at_site(entity["id"]), **lists}

    def own_entity(self, entity: Mapping[str, Any]) -> dict[str, Any] | None:
        """An incident or a review of a site as the operations tool knows it; None where it is
        another workspace's. An id in a list that is not this workspace's is left out."""
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
    """How many bytes of JSON an entity grows by at most, with its workspace in each id."""
    ids = 1 + sum(len(entity.get(name, ())) for name in _LISTS_OF_IDS)
    return ids * KEY_LENGTH


def without_key(site_id: str) -> str:
    """The operations tool's id in a link that people follow, which proves nobody's workspace."""
    return site_id[KEY_LENGTH:] if _KEYED.match(site_id) else site_id
