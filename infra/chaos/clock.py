"""Time that jumps: what Relay waits for comes after a second instead of an hour.

It jumps only while no function runs, so that every promise about time that rests on how long a
function may run holds as it does on AWS.
"""

import time


class Clock:
    def __init__(self) -> None:
        self.offset = 0.0
        self._began = time.time()

    def now(self) -> float:
        """Epoch seconds, as the functions see them."""
        return time.time() + self.offset

    def jump(self, seconds: float) -> None:
        self.offset += max(seconds, 0.0)

    @property
    def passed(self) -> float:
        """Seconds since the run began, those jumped over among them."""
        return self.now() - self._began
