"""What every HTTP function has in common: routes, errors, security headers, a line of log."""

import json
import re
import time
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.aws import AWS_ERRORS
from relay.edge.request import base_path, request_of
from relay.errors import NotFound, RelayError, Unauthenticated, Unavailable
from relay.identity.caller import LifecycleCaller, ProviderCaller, Request, SiteCaller, Verifier
from relay.identity.forge_caller import ForgeCaller
from relay.telemetry import Metric, count, in_context, logger

# Atlassian's review asks for these on every answer, errors too.
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cache-Control": "no-cache, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
CORRELATION_HEADER = "x-correlation-id"
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)

_PARAMETER = re.compile(r"<(\w+)>")

CallerT = TypeVar("CallerT", LifecycleCaller, SiteCaller, ProviderCaller, ForgeCaller)


class _Resolver(APIGatewayHttpResolver):
    """Takes any character in a path's parameter, as an entity's id may hold any.

    What owns the rest, named by the first parameter, has no slash in its id; the rest may.
    """

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "") -> re.Pattern[str]:  # noqa: ARG004
        first = iter(["[^/]+"])
        parts = _PARAMETER.split(re.escape(rule))
        # Between two pieces of plain path stands the name of a parameter.
        parts[1::2] = [f"(?P<{name}>{next(first, '.+?')})" for name in parts[1::2]]
        return re.compile("".join(parts) + r"\Z", re.DOTALL)

    def _convert_matches_into_route_keys(self, match: re.Match[str]) -> dict[str, str]:
        """API Gateway has decoded the path, but for the percent signs in it."""
        return {name: value.replace("%25", "%") for name, value in match.groupdict().items()}


class HttpFunction:
    """The routes of one Lambda. Errors are caught here and nowhere before.

    A route calls `self.caller(verifier)` before anything else, unless it is for everyone.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._app = _Resolver(strip_prefixes=[base_path(base_url)])
        self._handler = in_context(self._serve)
        self._app.exception_handler(Exception)(_answer_error)
        self._app.not_found(_answer_not_found)
        self.get = self._app.get
        self.post = self._app.post
        self.put = self._app.put
        self.delete = self._app.delete

    @property
    def request(self) -> Request:
        return request_of(self._app.current_event, self._base_url)

    @property
    def correlation_id(self) -> str:
        return str(logger.get_correlation_id())

    def caller(self, verifier: Verifier[CallerT]) -> tuple[CallerT, Request]:
        """Who calls, and what; raises Unauthenticated unless it is proven."""
        request = self.request
        return verifier.verify(request), request

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return self._handler(event, context)

    def _serve(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        correlation_id = _correlation_id(event)
        logger.set_correlation_id(correlation_id)
        answer = self._app.resolve(event, context)
        headers = SECURITY_HEADERS | {CORRELATION_HEADER: correlation_id}
        answer["headers"] = answer.get("headers", {}) | headers
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        logger.info(
            "Answered",
            route=event["routeKey"],
            status=answer["statusCode"],
            milliseconds=milliseconds,
        )
        return answer


def json_answer(status: int, body: Any) -> Response[Any]:
    return Response(status, "application/json", json.dumps(body, ensure_ascii=False))


def no_content() -> Response[Any]:
    return Response(204)


def _answer_error(error: Exception) -> Response[Any]:
    """The error's own status and body; whatever we did not foresee says nothing of itself."""
    if isinstance(error, AWS_ERRORS):
        logger.exception("AWS could not do what was asked")
        error = Unavailable("A part of Relay can't answer now; try again.")
    elif not isinstance(error, RelayError):
        logger.exception("Unforeseen error")
        error = RelayError("Something went wrong inside Relay.")
    if error.status in (401, 403):
        count(Metric.REFUSED_CALLS)
    # Not its message: that may repeat what was sent, or what Jira said of it.
    reason = error.reason if isinstance(error, Unauthenticated) else None
    logger.warning("Refused", code=error.error_code, error=type(error).__name__, reason=reason)
    return json_answer(error.status, error.as_body())


def _answer_not_found(_: Exception) -> Response[Any]:
    return _answer_error(NotFound("There is nothing at this method and path."))


def _correlation_id(event: dict[str, Any]) -> str:
    """The caller's own id where it brings a sensible one, else API Gateway's."""
    given = event.get("headers", {}).get(CORRELATION_HEADER, "")
    if _CORRELATION_ID.fullmatch(given):
        return str(given)
    return str(event["requestContext"]["requestId"])
