"""A clock that jumps: an hour's wait passes in a moment.

It jumps only while no function runs, so every promise that rests on a function's time limit holds
as it does on AWS.
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
        """Seconds since the clock was made, jumps included."""
        return self.now() - self._began
