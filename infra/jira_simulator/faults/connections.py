"""Faults of the way between the app and Jira: an answer is late, slow, or never comes."""

from typing import ClassVar

from starlette.responses import Response

from .fault import Course, Fault, Schema
from .transport import Trickled, Unanswered

_SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 3600}


class Slow(Fault):
    kind = "slow"
    schema: ClassVar[Schema] = {"seconds": _SECONDS}
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


class Trickle(Fault):
    kind = "trickle"
    schema: ClassVar[Schema] = {"seconds": _SECONDS, "part": {"enum": ["headers", "body"]}}

    def befall(self, course: Course) -> None:
        def change(response: Response) -> Response:
            if self.spent:
                return response
            self.count(course)
            headers_too = self.parameters.get("part", "headers") == "headers"
            return Trickled(response, self.parameters.get("seconds", 1), headers_too)

        course.changes.append(change)
