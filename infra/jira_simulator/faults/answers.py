"""Faults of the answer: a replacement of Jira's answer, or changes to it."""

import gzip
import json
import math
import time
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar

from starlette.responses import HTMLResponse, JSONResponse, Response

from ..answers import refused
from ..credentials import Credential
from ..json_body import parse_json
from ..refusal import Refusal
from .fault import ChangedAnswer, Course, EarlyAnswer, Fault, Parameters, Schema

_WITHOUT_BODY = (204, 205, 304)
_SUSPENDED = "<!doctype html><title>Unavailable</title><p>This site is suspended.</p>"
# HTTP allows only printable Latin-1, without surrounding blanks.
_HEADER_VALUE: Schema = {
    "type": "string",
    "pattern": r"^([!-~\u00a1-\u00ff]([ -~\u00a1-\u00ff]*[!-~\u00a1-\u00ff])?)?\Z",
}
_RATE_LIMIT_HEADERS: Schema = {
    "type": "object",
    "propertyNames": {"pattern": r"^[A-Za-z-]*RateLimit[A-Za-z-]*\Z"},
    "additionalProperties": _HEADER_VALUE,
}
# A token is available slightly early, so that it is never later than the promised Retry-After.
_ALMOST_ONE = 1 - 1e-6
_CUT_OFF = '{"acceptedIncidents": ["'
_MORE_KEYS = {"warnings": [], "processing": {"queued": True, "after": None}}
_BYTES_MAX = 2**29


# --- Replacements of Jira's answer ---


class Error(EarlyAnswer):
    """An answer of any status; a string as `body` is sent unchanged, anything else as JSON."""

    kind = "error"
    schema: ClassVar[Schema] = {
        "status": {"type": "integer", "minimum": 200, "maximum": 599},
        "retryAfter": _HEADER_VALUE,
        "contentType": _HEADER_VALUE,
        "body": {},
    }
    defaults: ClassVar[Parameters] = {"status": 500}

    def answer(self, course: Course) -> Response:  # noqa: ARG002
        parameters = self.defaults | self.parameters
        response = _without_headers(parameters)
        response.headers.update(parameters.get("headers", {}))
        for parameter, header in (("retryAfter", "Retry-After"), ("contentType", "Content-Type")):
            if parameter in parameters:
                response.headers[header] = parameters[parameter]
        return response


class RateLimit(Error):
    """A 429 with any `Retry-After` and rate limit headers."""

    kind = "rate limit"
    schema: ClassVar[Schema] = {"retryAfter": _HEADER_VALUE, "headers": _RATE_LIMIT_HEADERS}
    defaults: ClassVar[Parameters] = {"status": 429, "message": "Rate limit exceeded."}


class Suspended(Error):
    """A 503 with an HTML page, like a suspended site's."""

    kind = "suspended"
    schema: ClassVar[Schema] = {}
    defaults: ClassVar[Parameters] = {"status": 503, "body": _SUSPENDED}


class Forbidden(Error):
    """A 403 in Jira's shape."""

    kind = "forbidden"
    schema: ClassVar[Schema] = {}
    defaults: ClassVar[Parameters] = {"status": 403, "message": "The app may not do this."}


class TokenBucket:
    """A token bucket: full at first, refilled continuously up to its capacity."""

    def __init__(
        self, capacity: int, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
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
        """Takes a token; returns False if there is none."""
        now = self._clock()
        refilled = (now - self._filled_at) * self._per_second
        self._tokens = min(self._capacity, self._tokens + refilled)
        self._filled_at = now
        if self._tokens < _ALMOST_ONE:
            return False
        self._tokens = max(0.0, self._tokens - 1)
        return True

    @property
    def seconds_to_next(self) -> int:
        """Whole seconds until the next token, at least one."""
        return max(1, math.ceil((1 - self._tokens) / self._per_second))


class Bucket(EarlyAnswer):
    """A real rate limit, which a client can respect."""

    kind = "bucket"
    schema: ClassVar[Schema] = {
        "capacity": {"type": "integer", "minimum": 1},
        "perSecond": {"type": "number", "minimum": 0.0001, "maximum": 10_000},
        "retryAfter": {"type": "boolean"},
    }
    required = ("capacity", "perSecond")

    def __init__(self, parameters: Parameters, rng: Random, set_at: float) -> None:
        super().__init__(parameters, rng, set_at)
        self._bucket = TokenBucket(parameters["capacity"], parameters["perSecond"])

    def answer(self, course: Course) -> Response | None:
        has_token = self._bucket.take()
        course.headers |= {
            "X-RateLimit-Limit": str(self.parameters["capacity"]),
            "X-RateLimit-Remaining": str(self._bucket.remaining),
        }
        if has_token:
            return None
        response = refused(Refusal(429, "Rate limit exceeded."))
        if self.parameters.get("retryAfter", True):
            response.headers["Retry-After"] = str(self._bucket.seconds_to_next)
        return response


class TooLarge(EarlyAnswer):
    """A 413 for bodies of more than `bytes` bytes."""

    kind = "too large"
    schema: ClassVar[Schema] = {"bytes": {"type": "integer", "minimum": 0}}
    required = ("bytes",)

    def answer(self, course: Course) -> Response | None:
        size = course.call.size
        if size <= self.parameters["bytes"]:
            return None
        return refused(Refusal(413, f"Data is too large: {size} bytes."))


class Redirect(EarlyAnswer):
    """Simulates a renamed site: `to` is its new base URL."""

    kind = "redirect"
    schema: ClassVar[Schema] = {
        "to": {"type": "string", "pattern": r"^https?://[!-~]+\Z"},
        "status": {"enum": [301, 302, 303, 307, 308]},
    }

    def answer(self, course: Course) -> Response:
        base_url = self.parameters.get("to", "https://renamed.invalid").rstrip("/")
        target = course.call.target.removeprefix(course.site.path_for(course.call.credential))
        status = self.parameters.get("status", 302)
        return Response(status_code=status, headers={"Location": base_url + target})


class RevokedSecret(EarlyAnswer):
    """No Connect token is accepted until the app is installed again."""

    kind = "revoked secret"

    def answer(self, course: Course) -> Response | None:
        by_secret = course.call.credential is Credential.CONNECT
        if by_secret and course.site.installed_at <= self.set_at:
            return refused(Refusal(401, "The token is invalid: the secret is revoked."))
        return None


# --- Changes to Jira's answer ---


class Unreadable(ChangedAnswer):
    """The answer to a successful call is not JSON."""

    kind = "unreadable"
    schema: ClassVar[Schema] = {"body": {"type": "string"}}

    def change(self, course: Course, response: Response) -> Response | None:  # noqa: ARG002
        if not 200 <= response.status_code < 300:
            return None
        body = self.parameters.get("body", _CUT_OFF)
        return Response(body, response.status_code, media_type="application/json")


class UnknownKeys(ChangedAnswer):
    """The answer to a submission has undocumented keys and separate keys for reviews."""

    kind = "unknown keys"

    def change(self, course: Course, response: Response) -> Response | None:
        if response.status_code != 202 or not response.body:
            return None
        document = json.loads(bytes(response.body))
        return JSONResponse(_reworded(document, parse_json(course.call.body)), 202)


class Oversized(ChangedAnswer):
    """The answer ends with blanks: it stays valid JSON for a client that reads all of it."""

    kind = "oversized"
    schema: ClassVar[Schema] = {
        "bytes": {"type": "integer", "minimum": 0, "maximum": _BYTES_MAX},
        "gzip": {"type": "boolean"},
    }
    required = ("bytes",)

    def change(self, course: Course, response: Response) -> Response:  # noqa: ARG002
        body = bytes(response.body) + b" " * self.parameters["bytes"]
        headers = {"Content-Type": response.headers.get("content-type", "application/json")}
        if self.parameters.get("gzip"):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        return Response(body, response.status_code, headers)


class Cookie(Fault):
    """Sets a cookie. All sites share a host, so a client with a cookie jar sends it to all."""

    kind = "cookie"

    def apply(self, course: Course) -> None:
        self.count(course)
        course.headers["Set-Cookie"] = f"session={course.site.name}; Path=/; HttpOnly"


def _without_headers(parameters: Parameters) -> Response:
    status: int = parameters["status"]
    if status in _WITHOUT_BODY:
        return Response(status_code=status)
    if "body" not in parameters:
        message = parameters.get("message", f"Something went wrong ({status}).")
        return refused(Refusal(status, message))
    body: Any = parameters["body"]
    return HTMLResponse(body, status) if isinstance(body, str) else JSONResponse(body, status)


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
