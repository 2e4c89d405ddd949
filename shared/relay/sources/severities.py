"""Jira's severity levels for the names that operations tools use."""

from collections.abc import Mapping

from relay.entities.model import SeverityLevel

_NAMES: Mapping[SeverityLevel, tuple[str, ...]] = {
    "P1": ("critical", "sev0", "sev1", "p1", "emergency"),
    "P2": ("major", "high", "error", "sev2", "p2"),
    "P3": ("minor", "medium", "warning", "moderate", "sev3", "p3"),
    "P4": ("low", "sev4", "p4"),
    "P5": ("info", "informational", "none", "sev5", "p5"),
}
LEVELS: Mapping[str, SeverityLevel] = {
    name: level for level, names in _NAMES.items() for name in names
}


def own_level(name: str, own: Mapping[str, SeverityLevel]) -> SeverityLevel | None:
    """The level of a name in any case by the source's `own` names; None for others."""
    wanted = name.strip().casefold()
    for known, level in own.items():
        if known.strip().casefold() == wanted:
            return level
    return None


def level_of(name: str, own: Mapping[str, SeverityLevel]) -> SeverityLevel:
    """The level of a name in any case, by the source's `own` names, then by the table; "unknown"
    for any other."""
    return own_level(name, own) or LEVELS.get(name.strip().casefold(), "unknown")
