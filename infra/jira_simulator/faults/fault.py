"""What all faults have in common: which calls they fall on, how often, and by which lot."""

from abc import ABC, abstractmethod
from random import Random
from typing import Any, ClassVar

from .course import Course

Parameters = dict[str, Any]
Schema = dict[str, Any]


class Fault(ABC):
    """One fault of a list, at one site. `parameters` is its document, already checked.

    A subclass names its kind, gives the schema of its own parameters, and says what it does to a
    call. `set_at` is when the list was set, on the monotonic clock.
    """

    kind: ClassVar[str]
    schema: ClassVar[Schema] = {}
    required: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: Parameters, lots: Random, set_at: float) -> None:
        self.parameters = parameters
        self.lots = lots
        self.set_at = set_at
        self.rate: float = parameters.get("rate", 1)
        self._operations = parameters.get("operations")
        self._times_left = parameters.get("times", float("inf"))

    def strike(self, course: Course) -> None:
        """Befall the call, if the fault is meant for it and the lot falls on it."""
        meant = self._operations is None or course.operation in self._operations
        if meant and not self.spent and self.falls():
            self.befall(course)

    def falls(self) -> bool:
        return self.lots.random() < self.rate

    @property
    def spent(self) -> bool:
        """It has had its effect on as many calls as it may."""
        return bool(self._times_left <= 0)

    def count(self, course: Course) -> None:
        """To be called where the fault has its effect."""
        self._times_left -= 1
        course.kinds.append(self.kind)

    @abstractmethod
    def befall(self, course: Course) -> None:
        """Write into the call's course what is to become of it."""
