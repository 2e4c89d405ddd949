"""The REST APIs of a site over HTTP: read, authenticate, run the operation, record the call."""

import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from .answers import refused
from .authentication import authenticate, authorize
from .calls import Calls, RecordedCall, now_in_utc
from .faults import Course, Faults, Unanswered
from .json_body import parse_json
from .operations import Answer, FoundOperation, Request, find_operation
from .refusal import Refusal
from .schemas import Kind
from .settings import Settings
from .sites import Site, Sites
from .wire import WireCall, read_call

_COLLECTIONS = (*(kind.collection for kind in Kind), "workspaceIds")


@dataclass
class _Handled:
    """What is known of a call so far, for the record: a refusal may come at any point."""

    course: Course
    counts: dict[str, int] | None = None
    reason: str | None = None


class RestApi:
    """Answers everything below the path of an API."""

    def __init__(self, sites: Sites, settings: Settings, calls: Calls, faults: Faults) -> None:
        self._sites = sites
        self._settings = settings
        self._calls = calls
        self._faults = faults

    async def answer(self, http_request: HttpRequest) -> Response:
        started = time.perf_counter()
        call = await read_call(http_request, self._settings.max_body_bytes)
        try:
            site = self._sites.get(http_request.path_params["name"])
        except Refusal as refusal:
            return refused(refusal)
        found = _find(site, call)
        handled = _Handled(self._faults.course(site, _name(found), call))
        response = await handled.course.answer(
            self._settings.answer_delay_seconds, lambda: self._respond(found, handled)
        )
        elapsed = time.perf_counter() - started
        self._calls.record(_recorded(handled, response, elapsed))
        return response

    def _respond(self, found: FoundOperation | Refusal, handled: _Handled) -> Response:
        try:
            if isinstance(found, Refusal):
                raise found
            answer = self._run(found, handled)
        except Refusal as refusal:
            handled.reason = str(refusal)
            return refused(refusal)
        if answer.body is None:
            return Response(status_code=answer.status)
        return JSONResponse(answer.body, answer.status)

    def _run(self, found: FoundOperation, handled: _Handled) -> Answer:
        course = handled.course
        authenticate(course.site, course.call)
        authorize(course.site, found.operation.api.module, found.operation.scope)
        body = self._body(course.call, found)
        handled.counts = _counts(body)
        faults = course.entity_faults(body)
        request = Request(course.call.parameters, found.entity_id, body, faults)
        return found.operation.run(course.site, request)

    def _body(self, call: WireCall, found: FoundOperation) -> Any:
        if call.size > self._settings.max_body_bytes:
            raise Refusal(413, f"Data is too large: {call.size} bytes.")
        return parse_json(call.body) if found.operation.takes_body else None


def _find(site: Site, call: WireCall) -> FoundOperation | Refusal:
    """A Refusal is for later: a fault comes before it."""
    try:
        return find_operation(call.method, call.path.removeprefix(site.base_path))
    except Refusal as refusal:
        return refusal


def _name(found: FoundOperation | Refusal) -> str:
    return "unknown" if isinstance(found, Refusal) else found.operation.name


def _counts(body: Any) -> dict[str, int]:
    if not isinstance(body, dict):
        return {}
    return {name: len(body[name]) for name in _COLLECTIONS if isinstance(body.get(name), list)}


def _recorded(handled: _Handled, response: Response, seconds: float) -> RecordedCall:
    course, counts = handled.course, handled.counts or {}
    of_kind = {kind: counts.get(kind.collection, 0) for kind in Kind}
    return RecordedCall(
        time=now_in_utc(),
        site=course.site.name,
        operation=course.operation,
        method=course.call.method,
        path=course.call.target,
        status=None if isinstance(response, Unanswered) else response.status_code,
        entities=sum(of_kind.values()),
        incidents=of_kind[Kind.INCIDENT],
        reviews=of_kind[Kind.REVIEW],
        components=of_kind[Kind.COMPONENT],
        workspaces=counts.get("workspaceIds", 0),
        bytes=course.call.size,
        milliseconds=round(seconds * 1000, 1),
        reason=handled.reason,
        fault=course.fault,
    )
