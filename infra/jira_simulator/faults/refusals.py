"""Faults that answer a call instead of carrying it out."""

from typing import Any, ClassVar

from starlette.responses import HTMLResponse, JSONResponse, Response

from ..answers import refused
from ..credentials import Credential
from ..refusal import Refusal
from .fault import Course, Fault, Parameters, Schema

_WITHOUT_BODY = (204, 205, 304)
_SUSPENDED = "<!doctype html><title>Unavailable</title><p>This site is suspended.</p>"
# Printable Latin-1 without blanks around it; anything else breaks the answer, or leaves it.
_HEADER_VALUE: Schema = {
    "type": "string",
    "pattern": r"^([!-~\u00a1-\u00ff]([ -~\u00a1-\u00ff]*[!-~\u00a1-\u00ff])?)?\Z",
}
_RATE_LIMIT_HEADERS: Schema = {
    "type": "object",
    "propertyNames": {"pattern": r"^[A-Za-z-]*RateLimit[A-Za-z-]*\Z"},
    "additionalProperties": _HEADER_VALUE,
}


class Error(Fault):
    """A string as `body` is sent as it is, anything else as JSON. A subclass has its own answer."""

    kind = "error"
    schema: ClassVar[Schema] = {
        "status": {"type": "integer", "minimum": 200, "maximum": 599},
        "retryAfter": _HEADER_VALUE,
        "contentType": _HEADER_VALUE,
        "body": {},
    }
    answer: ClassVar[Parameters] = {"status": 500}

    def befall(self, course: Course) -> None:
        self.count(course)
        course.early = _answer(self.answer | self.parameters)


class RateLimit(Error):
    kind = "rate limit"
    schema: ClassVar[Schema] = {"retryAfter": _HEADER_VALUE, "headers": _RATE_LIMIT_HEADERS}
    answer: ClassVar[Parameters] = {"status": 429, "message": "Rate limit exceeded."}


class Suspended(Error):
    kind = "suspended"
    schema: ClassVar[Schema] = {}
    answer: ClassVar[Parameters] = {"status": 503, "body": _SUSPENDED}


class Forbidden(Error):
    kind = "forbidden"
    schema: ClassVar[Schema] = {}
    answer: ClassVar[Parameters] = {"status": 403, "message": "The app may not do this."}


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


class RevokedSecret(Fault):
    """No token of Connect holds any more, until the app is installed anew."""

    kind = "revoked secret"

    def befall(self, course: Course) -> None:
        by_secret = course.call.credential is Credential.CONNECT
        if by_secret and course.site.installed_at <= self.set_at:
            self.count(course)
            course.early = refused(Refusal(401, "The token is refused: the secret is revoked."))


def _answer(parameters: Parameters) -> Response:
    response = _without_headers(parameters)
    response.headers.update(parameters.get("headers", {}))
    for parameter, header in (("retryAfter", "Retry-After"), ("contentType", "Content-Type")):
        if parameter in parameters:
            response.headers[header] = parameters[parameter]
    return response


def _without_headers(parameters: Parameters) -> Response:
    status: int = parameters["status"]
    if status in _WITHOUT_BODY:
        return Response(status_code=status)
    if "body" not in parameters:
        told = parameters.get("message", f"Something went wrong ({status}).")
        return refused(Refusal(status, told))
    body: Any = parameters["body"]
    return HTMLResponse(body, status) if isinstance(body, str) else JSONResponse(body, status)
