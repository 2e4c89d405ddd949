"""Finds the project keys in an entity's associations that the site does not have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ISSUE_KEY = re.compile(r"([A-Za-z]\w{0,254})-\d+", re.ASCII)


@dataclass(frozen=True)
class ProjectCheck:
    """`is_stored` is False if all of the entity's associations name unknown projects."""

    unknown: list[str]
    is_stored: bool


def check_projects(entity: dict[str, Any], known: frozenset[str]) -> ProjectCheck:
    """Checks the issue keys in the associations.

    An issue id, and any value that is not an issue key, counts as known, because the contract
    mentions only unknown project keys. Keys are compared in upper case.
    """
    values = list(_associated(entity))
    unknown = [key for key in map(_issue_project, values) if key and key not in known]
    return ProjectCheck(unknown, is_stored=not values or len(unknown) < len(values))


def _associated(entity: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for association in entity.get("associations", []):
        for value in association["values"]:
            yield association["associationType"], value


def _issue_project(association: tuple[str, str]) -> str | None:
    kind, value = association
    match = _ISSUE_KEY.fullmatch(value) if kind == "issueIdOrKeys" else None
    return match[1].upper() if match else None
