"""The clock by which Relay notes when it first saw a lifecycle token."""

import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """In epoch seconds. Whether a token has expired is still told by the wall clock."""

    seconds: int = field(default_factory=lambda: int(time.time()))
