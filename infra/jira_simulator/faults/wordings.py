"""Faults that leave a call as it is and change its answer."""

import gzip
import json
from collections.abc import Iterable
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from ..json_body import parse_json
from .fault import Course, Fault, Schema

_CUT_OFF = '{"acceptedIncidents": ["'
_MORE_KEYS = {"warnings": [], "processing": {"queued": True, "after": None}}
_MOST_BYTES = 2**29


class Unreadable(Fault):
    """The answer to a call that succeeded is no JSON."""

    kind = "unreadable"
    schema: ClassVar[Schema] = {"body": {"type": "string"}}

    def befall(self, course: Course) -> None:
        def change(response: Response) -> Response:
            if self.spent or not 200 <= response.status_code < 300:
                return response
            self.count(course)
            body = self.parameters.get("body", _CUT_OFF)
            return Response(body, response.status_code, media_type="application/json")

        course.changes.append(change)


class UnknownKeys(Fault):
    """The answer to a submission has keys that nobody documents; reviews have keys of their own."""

    kind = "unknown keys"

    def befall(self, course: Course) -> None:
        def change(response: Response) -> Response:
            if self.spent or response.status_code != 202 or not response.body:
                return response
            self.count(course)
            document = json.loads(bytes(response.body))
            return JSONResponse(_reworded(document, parse_json(course.call.body)), 202)

        course.changes.append(change)


class Oversized(Fault):
    """The answer as it is, and blanks after it: the JSON holds, if one reads it to its end."""

    kind = "oversized"
    schema: ClassVar[Schema] = {
        "bytes": {"type": "integer", "minimum": 0, "maximum": _MOST_BYTES},
        "gzip": {"type": "boolean"},
    }
    required = ("bytes",)

    def befall(self, course: Course) -> None:
        def change(response: Response) -> Response:
            if self.spent:
                return response
            self.count(course)
            body = bytes(response.body) + b" " * self.parameters["bytes"]
            headers = {"Content-Type": response.headers.get("content-type", "application/json")}
            if self.parameters.get("gzip"):
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body)
            return Response(body, response.status_code, headers)

        course.changes.append(change)


class Cookie(Fault):
    """Sites of a simulator share a host: a client that keeps cookies sends each to all of them."""

    kind = "cookie"

    def befall(self, course: Course) -> None:
        self.count(course)
        course.headers["Set-Cookie"] = f"session={course.site.name}; Path=/; HttpOnly"


def _reworded(document: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    incidents = _ids(body.get("incidents", []))
    reviews = _ids(body.get("reviews", []))
    accepted: list[str] = document.pop("acceptedIncidents", [])
    failed: dict[str, Any] = document.pop("failedIncidents", {})
    outcome = {
        "acceptedIncidents": [one for one in accepted if one in incidents],
        "acceptedReviews": [one for one in accepted if one in reviews],
        "failedIncidents": {key: why for key, why in failed.items() if key in incidents},
        "failedReviews": {key: why for key, why in failed.items() if key in reviews},
    }
    return {key: value for key, value in outcome.items() if value} | document | _MORE_KEYS


def _ids(entities: Iterable[dict[str, Any]]) -> set[str]:
    return {entity["id"] for entity in entities}
