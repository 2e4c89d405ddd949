"""A token bucket: the one rate limit that a client can keep to."""

import math
import time
from collections.abc import Callable
from random import Random
from typing import ClassVar

from starlette.responses import Response

from ..answers import refused
from ..refusal import Refusal
from .fault import Course, Fault, Parameters, Schema

Clock = Callable[[], float]

# A token is there a hair too early rather than a hair after the Retry-After that promised it.
_ALMOST_ONE = 1 - 1e-6


class TokenBucket:
    """Full at first; it fills continuously, up to its capacity."""

    def __init__(self, capacity: int, per_second: float, clock: Clock = time.monotonic) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._clock = clock
        self._tokens = float(capacity)
        self._filled_at = clock()

    @property
    def remaining(self) -> int:
        """Whole tokens, as of the last `take`."""
        return int(self._tokens)

    def take(self) -> bool:
        """Whether a token was there to be taken."""
        now = self._clock()
        fresh = (now - self._filled_at) * self._per_second
        self._tokens = min(self._capacity, self._tokens + fresh)
        self._filled_at = now
        if self._tokens < _ALMOST_ONE:
            return False
        self._tokens = max(0.0, self._tokens - 1)
        return True

    @property
    def seconds_to_next(self) -> int:
        """Whole seconds, at least one, after which a token is there unless another takes it."""
        return max(1, math.ceil((1 - self._tokens) / self._per_second))


class Bucket(Fault):
    kind = "bucket"
    schema: ClassVar[Schema] = {
        "capacity": {"type": "integer", "minimum": 1},
        "perSecond": {"type": "number", "minimum": 0.0001, "maximum": 10_000},
        "retryAfter": {"type": "boolean"},
    }
    required = ("capacity", "perSecond")

    def __init__(self, parameters: Parameters, lots: Random, set_at: float) -> None:
        super().__init__(parameters, lots, set_at)
        self._bucket = TokenBucket(parameters["capacity"], parameters["perSecond"])

    def befall(self, course: Course) -> None:
        there = self._bucket.take()
        course.headers |= {
            "X-RateLimit-Limit": str(self.parameters["capacity"]),
            "X-RateLimit-Remaining": str(self._bucket.remaining),
        }
        if not there:
            self.count(course)
            course.early = self._empty()

    def _empty(self) -> Response:
        response = refused(Refusal(429, "Rate limit exceeded."))
        if self.parameters.get("retryAfter", True):
            response.headers["Retry-After"] = str(self._bucket.seconds_to_next)
        return response
