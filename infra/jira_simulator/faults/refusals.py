"""Faults that answer a call instead of carrying it out."""

from typing import ClassVar

from starlette.responses import HTMLResponse, JSONResponse, Response

from ..answers import refused
from ..credentials import Credential
from ..refusal import Refusal
from .course import Course
from .fault import Fault, Parameters, Schema
from .headers import HEADER_VALUE, RATE_LIMIT_HEADERS, headers_of

_WITHOUT_BODY = (204, 205, 304)
_SUSPENDED = "<!doctype html><title>Unavailable</title><p>This site is suspended.</p>"


class RateLimit(Fault):
    kind = "rate limit"
    schema: ClassVar[Schema] = {"retryAfter": HEADER_VALUE, "headers": RATE_LIMIT_HEADERS}

    def befall(self, course: Course) -> None:
        self.count(course)
        course.early = refused(Refusal(429, "Rate limit exceeded."))
        course.early.headers.update(headers_of(self.parameters))


class Error(Fault):
    """A string as `body` is sent as it is, anything else as JSON."""

    kind = "error"
    schema: ClassVar[Schema] = {
        "status": {"type": "integer", "minimum": 200, "maximum": 599},
        "retryAfter": HEADER_VALUE,
        "body": {},
    }

    def befall(self, course: Course) -> None:
        self.count(course)
        course.early = _error(self.parameters)
        course.early.headers.update(headers_of(self.parameters))


class TooLarge(Fault):
    kind = "too large"
    schema: ClassVar[Schema] = {"bytes": {"type": "integer", "minimum": 0}}
    required = ("bytes",)

    def befall(self, course: Course) -> None:
        size = course.call.size
        if size > self.parameters["bytes"]:
            self.count(course)
            course.early = refused(Refusal(413, f"Data is too large: {size} bytes."))


class Redirect(Fault):
    """The site is renamed: `to` is its new base URL."""

    kind = "redirect"
    schema: ClassVar[Schema] = {
        "to": {"type": "string", "pattern": r"^https?://[!-~]+\Z"},
        "status": {"enum": [301, 302, 303, 307, 308]},
    }

    def befall(self, course: Course) -> None:
        self.count(course)
        base_url = self.parameters.get("to", "https://renamed.invalid").rstrip("/")
        target = course.call.target.removeprefix(course.site.path_for(course.call.credential))
        status = self.parameters.get("status", 302)
        course.early = Response(status_code=status, headers={"Location": base_url + target})


class Suspended(Fault):
    kind = "suspended"

    def befall(self, course: Course) -> None:
        self.count(course)
        course.early = HTMLResponse(_SUSPENDED, 503)


class RevokedSecret(Fault):
    """No token of Connect holds any more, until the app is installed anew."""

    kind = "revoked secret"

    def befall(self, course: Course) -> None:
        by_secret = course.call.credential is Credential.CONNECT
        if by_secret and course.site.installed_at <= self.set_at:
            self.count(course)
            course.early = refused(Refusal(401, "The token is refused: the secret is revoked."))


class Forbidden(Fault):
    kind = "forbidden"

    def befall(self, course: Course) -> None:
        self.count(course)
        course.early = refused(Refusal(403, "The app may not do this."))


def _error(parameters: Parameters) -> Response:
    status = parameters.get("status", 500)
    if status in _WITHOUT_BODY:
        return Response(status_code=status)
    if "body" not in parameters:
        return refused(Refusal(status, f"Something went wrong ({status})."))
    body = parameters["body"]
    return HTMLResponse(body, status) if isinstance(body, str) else JSONResponse(body, status)
