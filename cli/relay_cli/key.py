"""An API key, masked in all output."""

import re
from dataclasses import dataclass, field

_KEY = re.compile(r"relay_([0-9a-f]+)_[A-Za-z0-9_-]+", re.ASCII)
_SENDABLE = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True)
class Key:
    """An API key. `value` is for the Authorization header only; `str()` masks it."""

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", self.value.strip())

    @property
    def id(self) -> str | None:
        """The id in `relay keys list`; None if the value does not have the form of a key."""
        match = _KEY.fullmatch(self.value)
        return match[1] if match else None

    @property
    def is_sendable(self) -> bool:
        """Whether a header can hold it. Checked first: httpx's error would quote the key."""
        return bool(_SENDABLE.fullmatch(self.value))

    def __str__(self) -> str:
        return f"relay_{self.id}_***" if self.id else "***"
