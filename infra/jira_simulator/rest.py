"""The REST APIs over HTTP: reads and authenticates a call, runs the operation, records the call."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from .answers import refused
from .authentication import authenticate, authorize
from .calls import Calls, RecordedCall, now_in_utc
from .credentials import Credential
from .faults import Course, Faults, Unanswered
from .forge.authentication import authenticate_system_token, authorize_system_token
from .json_body import parse_json
from .operations import Answer, FoundOperation, Operation, Request, find_operation
from .refusal import GatewayRefusal, Refusal
from .schemas import Kind
from .settings import Settings
from .sites import Site, Sites
from .wire import WireCall, read_call

_COLLECTIONS = (*(kind.collection for kind in Kind), "workspaceIds")


@dataclass
class _Handled:
    """The known facts of a call, for the recorded call: it may be refused at any point."""

    course: Course
    counts: dict[str, int] | None = None
    reason: str | None = None


class RestApi:
    """Answers all paths below an API's path, at a site's own URL and at its URL for Forge."""

    def __init__(self, sites: Sites, settings: Settings, calls: Calls, faults: Faults) -> None:
        self._sites = sites
        self._settings = settings
        self._calls = calls
        self._faults = faults

    async def answer(self, http_request: HttpRequest) -> Response:
        """Below `/sites/{name}`."""
        find = partial(self._sites.get, http_request.path_params["name"])
        return await self._answer(http_request, Credential.CONNECT, find)

    async def answer_at_gateway(self, http_request: HttpRequest) -> Response:
        """Below `/ex/jira/{cloud_id}`."""
        find = partial(self._sites.of_cloud_id, http_request.path_params["cloud_id"])
        return await self._answer(http_request, Credential.FORGE, find)

    async def _answer(
        self, http_request: HttpRequest, credential: Credential, find_site: Callable[[], Site]
    ) -> Response:
        started = time.perf_counter()
        call = await read_call(http_request, self._settings.max_body_bytes, credential)
        try:
            site = find_site()
        except Refusal as refusal:
            return refused(refusal)
        found = _find(site, call)
        handled = _Handled(_course(site, found, call))
        self._faults.draw(handled.course)
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
        _admit(course.site, course.call, found.operation)
        body = self._body(course.call, found)
        handled.counts = _counts(body)
        faults = course.entity_faults()
        request = Request(course.call.parameters, found.parameters, body, faults)
        return found.operation.run(course.site, request)

    def _body(self, call: WireCall, found: FoundOperation) -> Any:
        if call.size > self._settings.max_body_bytes:
            raise Refusal(413, f"Data is too large: {call.size} bytes.")
        return parse_json(call.body) if found.operation.takes_body else None


def _find(site: Site, call: WireCall) -> FoundOperation | Refusal:
    """A Refusal is returned, not raised, because faults apply first."""
    try:
        path = call.path.removeprefix(site.path_for(call.credential))
        return find_operation(call.method, path)
    except Refusal as refusal:
        return refusal


def _admit(site: Site, call: WireCall, operation: Operation) -> None:
    """Raise a Refusal unless the call has its path's credential and the required permission."""
    switched_off = site.switches.status(call.credential)
    if call.credential is Credential.CONNECT:
        if switched_off is not None:
            raise Refusal(switched_off, "Connect's tokens are disabled at this site.")
        authenticate(site, call)
        authorize(site, operation.api.module, operation.scope)
    else:
        if switched_off is not None:
            raise GatewayRefusal(switched_off, "System tokens are disabled at this site.")
        authenticate_system_token(site, call)
        authorize_system_token(site, operation)


def _course(site: Site, found: FoundOperation | Refusal, call: WireCall) -> Course:
    if isinstance(found, Refusal):
        return Course(site, "unknown", call)
    return Course(site, found.operation.name, call, found.parameters.get("id"))


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
        credential=course.call.credential.value,
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
        cookie=course.call.cookie,
    )
