"""The clock with which Relay notes when it first saw a lifecycle token."""

import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Epoch seconds. A token's expiry still follows the wall clock."""

    seconds: int = field(default_factory=lambda: int(time.time()))
