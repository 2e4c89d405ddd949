"""A clock that can jump ahead, so that long waits cost no time.

It jumps only while no function runs, so time limits of functions have the same meaning as on AWS.
"""

import time


class Clock:
    """Starts at the current time."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._started = time.time()

    def now(self) -> float:
        """Epoch seconds, as the functions see them."""
        return time.time() + self.offset

    def jump(self, seconds: float) -> None:
        """Moves the clock ahead; negative seconds have no effect."""
        self.offset += max(seconds, 0.0)

    @property
    def passed(self) -> float:
        """Seconds since the clock was created, jumps included."""
        return self.now() - self._started
