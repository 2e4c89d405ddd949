"""What goes wrong during an invocation: the process dies, calls to AWS fail, time runs out."""

import threading
from dataclasses import replace
from random import Random

from infra.chaos.settings import Settings
from infra.harness.invocation import Invocation

# The mean number of calls to AWS and Jira before a worker kills itself.
_DIES_AFTER = 25
# Seconds. A worker that is killed from outside is killed within these.
_KILLED_WITHIN = 2.0
# Seconds. The least that a function gets whose time is cut short.
_SHORT = 28.0
_OUT_OF_TIME_RATE = 0.25
_LONG = ("submitter", "replayer")


class Disturbance:
    """Thread-safe; the settings give the rates."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rng = Random(f"{settings.seed}/invocations")  # noqa: S311
        self._lock = threading.Lock()

    def __call__(self, invocation: Invocation) -> Invocation:
        with self._lock:
            rng, seconds = self._rng, invocation.seconds
            if invocation.function in _LONG and rng.random() < _OUT_OF_TIME_RATE:
                seconds = rng.uniform(_SHORT, seconds)
            dies_at = killed_after = None
            if rng.random() < self._settings.kill_rate:
                if rng.random() < 0.7:
                    dies_at = int(rng.expovariate(1 / _DIES_AFTER)) + 1
                else:
                    killed_after = rng.uniform(0, _KILLED_WITHIN)
            return replace(
                invocation,
                seconds=seconds,
                seed=rng.getrandbits(32),
                aws_error_rate=self._settings.aws_error_rate,
                dies_at=dies_at,
                killed_after=killed_after,
            )
