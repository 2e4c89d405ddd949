"""Which project keys of an entity's associations the site does not know."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ISSUE_KEY = re.compile(r"([A-Za-z]\w{0,254})-\d+", re.ASCII)


@dataclass(frozen=True)
class ProjectCheck:
    """`kept` is False where nothing but unknown projects holds the entity."""

    unknown: list[str]
    kept: bool


def check_projects(entity: dict[str, Any], known: frozenset[str]) -> ProjectCheck:
    """Judge the issue keys among the associations.

    An issue id, and any value that has not the form of an issue key, counts as known: the
    contract speaks of unknown project keys only. Keys are compared in upper case.
    """
    values = list(_associated(entity))
    unknown = [key for key in map(_issue_project, values) if key and key not in known]
    return ProjectCheck(unknown, kept=not values or len(unknown) < len(values))


def _associated(entity: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for association in entity.get("associations", []):
        for value in association["values"]:
            yield association["associationType"], value


def _issue_project(association: tuple[str, str]) -> str | None:
    kind, value = association
    match = _ISSUE_KEY.fullmatch(value) if kind == "issueIdOrKeys" else None
    return match[1].upper() if match else None
