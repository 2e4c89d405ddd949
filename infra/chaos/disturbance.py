"""Disturbs invocations: kills the process, makes calls to AWS fail, shortens the time limit."""

import threading
from dataclasses import replace
from random import Random

from infra.chaos.settings import Settings
from infra.harness.invocation import Invocation

# The mean number of calls to AWS and Jira before a worker kills itself.
_DIES_AFTER = 25
# Seconds within which a worker is killed from outside.
_KILLED_WITHIN = 2.0
# Seconds: the minimum of a shortened time limit.
_SHORT = 28.0
_OUT_OF_TIME_RATE = 0.25
_LONG = ("submitter", "replayer")


class Disturbance:
    """Adds faults to invocations at the settings' rates. Thread-safe."""

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
