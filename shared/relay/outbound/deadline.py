"""The time that a whole call may take, however many reads and writes it is made of."""

import time


class Deadline(float):
    """A timeout in seconds that starts to run when it is made.

    It is a float so that httpx and httpcore pass it on, like any timeout and unchanged, to the
    network backend, which asks how much of it is left. One given to several requests bounds them
    together.
    """

    _ends_at: float

    def __new__(cls, seconds: float) -> "Deadline":
        deadline = super().__new__(cls, seconds)
        deadline._ends_at = time.monotonic() + seconds
        return deadline

    def left(self) -> float:
        """Seconds; not positive once the deadline has passed."""
        return self._ends_at - time.monotonic()
