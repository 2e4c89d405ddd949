"""An API key that does not show itself."""

import re
from dataclasses import dataclass, field

_KEY = re.compile(r"relay_([0-9a-f]+)_[A-Za-z0-9_-]+", re.ASCII)
_SENDABLE = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True)
class Key:
    """`value` is for the Authorization header alone; as a text the key is masked."""

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", self.value.strip())

    @property
    def id(self) -> str | None:
        """What `relay keys list` calls it; None for what has not the form of a key."""
        match = _KEY.fullmatch(self.value)
        return match[1] if match else None

    @property
    def is_sendable(self) -> bool:
        """Whether it fits into a header; an error about one that doesn't would repeat it."""
        return bool(_SENDABLE.fullmatch(self.value))

    def __str__(self) -> str:
        return f"relay_{self.id}_***" if self.id else "***"
