"""The findings of `relay doctor`."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """A finding's severity."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """The result of one check. `action` says how to fix the problem; empty if there is none."""

    level: Level
    check: str
    message: str
    action: str = ""

    def document(self) -> dict[str, str]:
        """The finding as JSON fields."""
        return {name: str(value) for name, value in asdict(self).items()}


def ok(check: str, message: str) -> Finding:
    """The check passed."""
    return Finding(Level.OK, check, message)


def warn(check: str, message: str, action: str) -> Finding:
    """The check found something that needs attention, but not now."""
    return Finding(Level.WARN, check, message, action)


def fail(check: str, message: str, action: str) -> Finding:
    """The check failed: `relay doctor` exits with 1."""
    return Finding(Level.FAIL, check, message, action)
