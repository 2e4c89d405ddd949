"""What a check of `relay doctor` finds."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """`check` names what was looked at, `action` says what to do about it, where anything is."""

    level: Level
    check: str
    message: str
    action: str = ""

    def document(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


def ok(check: str, message: str) -> Finding:
    return Finding(Level.OK, check, message)


def warn(check: str, message: str, action: str) -> Finding:
    return Finding(Level.WARN, check, message, action)


def fail(check: str, message: str, action: str) -> Finding:
    return Finding(Level.FAIL, check, message, action)
