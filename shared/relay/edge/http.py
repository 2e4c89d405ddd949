"""What all HTTP functions share: routes, errors, security headers, one log line per call."""

import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic.alias_generators import to_snake

from relay.aws import AWS_ERRORS
from relay.edge.answer import Answer, json_answer
from relay.edge.query import check_query
from relay.edge.request import request_of
from relay.errors import AnswerTooLarge, NotFound, RelayError, Unauthenticated, Unavailable
from relay.identity.caller import PAGE_PREFIX, Request, Verifier
from relay.telemetry import Metric, count, in_context, logger

# Atlassian's review requires these on every answer, including errors.
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cache-Control": "no-cache, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
CORRELATION_HEADER = "x-correlation-id"
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)

# Jira's and Forge's calls may carry parameters that Relay does not know. The operations tool's and
# the page's may not: a mistyped flag would be ignored silently.
_STRICT = ("/v1/", PAGE_PREFIX)

CallerT = TypeVar("CallerT")
HandlerT = TypeVar("HandlerT", bound=Callable[..., Answer])


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is the template's; `query` the names of its query parameters, None for any."""

    path: str
    query: Collection[str] | None
    handle: Callable[..., Answer]


class HttpFunction:
    """The routes of one Lambda, by API Gateway's `routeKey`. It catches all errors.

    A handler gets the ids in its path by name, `{workspaceId}` as `workspace_id`. It calls
    `self.caller(verifier)` first, unless everyone may call it. HEAD is answered as GET is, without
    the body. `base_url` is empty if API Gateway's URL is the app's.
    """

    def __init__(self, base_url: str) -> None:
        self.routes: dict[str, Route] = {}
        self._base_url = base_url
        self._handler = in_context(self._serve)

    def get(self, path: str, query: Collection[str] | None = ()) -> Callable[[HandlerT], HandlerT]:
        """Registers a handler for GET and HEAD; `query` names its parameters, None for any."""
        return self._route(("GET", "HEAD"), path, query)

    def post(self, path: str, query: Collection[str] | None = ()) -> Callable[[HandlerT], HandlerT]:
        """Registers a handler for POST."""
        return self._route(("POST",), path, query)

    def put(self, path: str, query: Collection[str] | None = ()) -> Callable[[HandlerT], HandlerT]:
        """Registers a handler for PUT."""
        return self._route(("PUT",), path, query)

    def delete(
        self, path: str, query: Collection[str] | None = ()
    ) -> Callable[[HandlerT], HandlerT]:
        """Registers a handler for DELETE."""
        return self._route(("DELETE",), path, query)

    @property
    def correlation_id(self) -> str:
        """The call's id in the logs and in the answer's `x-correlation-id`."""
        return str(logger.get_correlation_id())

    def caller(self, verifier: Verifier[CallerT]) -> tuple[CallerT, Request]:
        """The caller and the request. Raises Unauthenticated unless the verifier proves the caller,
        and BadRequest for a query parameter that the route does not have."""
        caller = verifier.verify(self.request)
        if self._called.path.startswith(_STRICT):
            check_query(self.request, self._called.query)
        return caller, self.request

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return self._handler(event, context)

    def _route(
        self, methods: Iterable[str], path: str, query: Collection[str] | None
    ) -> Callable[[HandlerT], HandlerT]:
        def register(handle: HandlerT) -> HandlerT:
            for method in methods:
                self.routes[f"{method} {path}"] = Route(path, query, handle)
            return handle

        return register

    def _serve(self, event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        correlation_id = _correlation_id(event)
        logger.set_correlation_id(correlation_id)
        answer = self._answer(APIGatewayProxyEventV2(event))
        if answer.is_too_large:
            answer = _answer_to(AnswerTooLarge())
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        logger.info(
            "Answered", route=event["routeKey"], status=answer.status, milliseconds=milliseconds
        )
        return {
            "statusCode": answer.status,
            "headers": {
                **answer.headers,
                **_security_headers(answer),
                CORRELATION_HEADER: correlation_id,
            },
            "body": "" if event["requestContext"]["http"]["method"] == "HEAD" else answer.body,
        }

    def _answer(self, event: APIGatewayProxyEventV2) -> Answer:
        try:
            if event.route_key not in self.routes:
                raise NotFound("No route has this method and path.")
            self._called = self.routes[event.route_key]
            self.request, ids = request_of(event, self._base_url, self._called.path)
            return self._called.handle(**{to_snake(name): id_ for name, id_ in ids.items()})
        except Exception as error:
            return _answer_to(error)


def _security_headers(answer: Answer) -> dict[str, str]:
    own = answer.content_security_policy
    return SECURITY_HEADERS | ({"Content-Security-Policy": own} if own else {})


def _answer_to(error: Exception) -> Answer:
    """The error's own status and body; an unexpected error is answered 500 without its words."""
    if isinstance(error, AWS_ERRORS):
        logger.exception("A call to AWS failed")
        error = Unavailable("A service that Relay depends on is unavailable; try again.")
    elif not isinstance(error, RelayError):
        logger.exception("Unexpected error")
        error = RelayError("Relay failed unexpectedly.")
    if error.status in (401, 403):
        count(Metric.REFUSED_CALLS)
    # Not its message, which may repeat the request or Jira's answer.
    reason = error.reason if isinstance(error, Unauthenticated) else None
    logger.warning("Refused", code=error.error_code, error=type(error).__name__, reason=reason)
    return json_answer(error.status, error.as_body())


def _correlation_id(event: dict[str, Any]) -> str:
    """The caller's own id if it sends a valid one, else API Gateway's."""
    given = event.get("headers", {}).get(CORRELATION_HEADER, "")
    if _CORRELATION_ID.fullmatch(given):
        return str(given)
    return str(event["requestContext"]["requestId"])
