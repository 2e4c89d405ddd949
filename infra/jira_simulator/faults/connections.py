"""Faults of the way between the app and Jira: an answer is late, or never comes."""

from typing import ClassVar

from starlette.responses import Response

from .course import Course
from .fault import Fault, Schema
from .unanswered import Unanswered


class Slow(Fault):
    kind = "slow"
    schema: ClassVar[Schema] = {"seconds": {"type": "number", "minimum": 0, "maximum": 3600}}
    required = ("seconds",)

    def befall(self, course: Course) -> None:
        self.count(course)
        course.delay_seconds += self.parameters["seconds"]


class DropBefore(Fault):
    kind = "drop before"

    def befall(self, course: Course) -> None:
        self.count(course)
        course.early = Unanswered()


class DropAfter(Fault):
    kind = "drop after"

    def befall(self, course: Course) -> None:
        def change(response: Response) -> Response:
            if self.spent:
                return response
            self.count(course)
            return Unanswered()

        course.changes.append(change)


class Hang(Fault):
    kind = "hang"

    def befall(self, course: Course) -> None:
        self.count(course)
        course.early = Unanswered(waits=True)
