"""What became of an entity's state at a site."""

from dataclasses import dataclass
from enum import StrEnum

from relay.entities import EntityKey


class OutcomeState(StrEnum):
    """`owed` is never stored: it is what a record without an outcome as new as itself means."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN_PROJECTS = "unknown project keys"
    UNACCOUNTED = "unaccounted"
    OWED = "owed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`messages` are Jira's own words, or ours where Jira had none."""

    key: EntityKey
    sequence: int
    state: OutcomeState
    messages: tuple[str, ...] = ()
    unknown_project_keys: tuple[str, ...] = ()
