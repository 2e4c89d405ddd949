"""Compares the submitted entities with those in Jira, in both directions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.feed import State

Key = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """An entity, and how Jira differs from what was submitted."""

    kind: str
    id: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.what}"


def newest_states(states: Iterable[State]) -> dict[Key, State]:
    """The expected state of each entity: the highest sequence, of equal ones the first."""
    newest: dict[Key, State] = {}
    for state in states:
        key = (state.kind, state.id)
        if key not in newest or newest[key].sequence < state.sequence:
            newest[key] = state
    return newest


def differences(
    expected: Mapping[Key, State], shown: Mapping[str, Iterable[Mapping[str, Any]]]
) -> list[Difference]:
    """All differences, sorted. Empty if Jira has exactly the expected entities in these states.

    `shown` holds Jira's entities by kind.
    """
    found: list[Difference] = []
    left = dict(expected)
    for kind, entities in shown.items():
        for entity in entities:
            key = (kind, str(entity["id"]))
            wanted = left.pop(key, None)
            if wanted is None:
                twice = key in expected
                found.append(Difference(*key, "is there twice" if twice else "was not submitted"))
            elif dict(entity) != wanted.entity:
                found.append(Difference(*key, _how(wanted, entity)))
    found += [Difference(kind, entity_id, "is missing in Jira") for kind, entity_id in left]
    return sorted(found, key=str)


def _how(wanted: State, entity: Mapping[str, Any]) -> str:
    sequence = entity["updateSequenceNumber"]
    if sequence != wanted.sequence:
        return f"Jira shows sequence {sequence}, the newest is {wanted.sequence}"
    fields = sorted(
        name
        for name in wanted.entity.keys() | entity.keys()
        if wanted.entity.get(name) != entity.get(name)
    )
    return f"differs in {', '.join(fields)}"
