"""The REST APIs of a site over HTTP: read, authenticate, run the operation, record the call."""

import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from . import faults
from .authentication import authenticate, authorize
from .calls import Calls, RecordedCall, now_in_utc
from .json_body import parse_json
from .operations import Answer, FoundOperation, Request, find_operation
from .refusal import Refusal, error_messages
from .schemas import Kind
from .settings import Settings
from .sites import Site, Sites
from .wire import WireCall, read_call

_COLLECTIONS = (*(kind.collection for kind in Kind), "workspaceIds")


@dataclass
class _Handled:
    """What is known of a call so far, for the record: a refusal may come at any point."""

    operation: str = "unknown"
    counts: dict[str, int] | None = None
    reason: str | None = None


class RestApi:
    """Answers everything below the path of an API."""

    def __init__(self, sites: Sites, settings: Settings, calls: Calls) -> None:
        self._sites = sites
        self._settings = settings
        self._calls = calls

    async def answer(self, http_request: HttpRequest) -> Response:
        started = time.perf_counter()
        call = await read_call(http_request, self._settings.max_body_bytes)
        try:
            site = self._sites.get(http_request.path_params["name"])
        except Refusal as refusal:
            return _refuse(refusal)
        handled = _Handled()
        response = await faults.answer(
            self._settings, site, call, lambda: self._respond(site, call, handled)
        )
        elapsed = time.perf_counter() - started
        self._calls.record(_recorded(site, call, handled, response.status_code, elapsed))
        return response

    def _respond(self, site: Site, call: WireCall, handled: _Handled) -> Response:
        try:
            answer = self._run(site, call, handled)
        except Refusal as refusal:
            handled.reason = str(refusal)
            return _refuse(refusal)
        if answer.body is None:
            return Response(status_code=answer.status)
        return JSONResponse(answer.body, answer.status)

    def _run(self, site: Site, call: WireCall, handled: _Handled) -> Answer:
        found = find_operation(call.method, call.path.removeprefix(site.base_path))
        handled.operation = found.operation.name
        authenticate(site, call)
        authorize(site, found.operation.api.module, found.operation.scope)
        body = self._body(call, found)
        handled.counts = _counts(body)
        request = Request(call.parameters, found.entity_id, body)
        return found.operation.run(site, request)

    def _body(self, call: WireCall, found: FoundOperation) -> Any:
        if call.size > self._settings.max_body_bytes:
            raise Refusal(413, f"Data is too large: {call.size} bytes.")
        return parse_json(call.body) if found.operation.takes_body else None


def _refuse(refusal: Refusal) -> Response:
    headers = {"WWW-Authenticate": 'JWT realm="Jira"'} if refusal.status == 401 else None
    return JSONResponse(error_messages(refusal.messages), refusal.status, headers)


def _counts(body: Any) -> dict[str, int]:
    if not isinstance(body, dict):
        return {}
    return {name: len(body[name]) for name in _COLLECTIONS if isinstance(body.get(name), list)}


def _recorded(
    site: Site, call: WireCall, handled: _Handled, status: int, seconds: float
) -> RecordedCall:
    counts = handled.counts or {}
    of_kind = {kind: counts.get(kind.collection, 0) for kind in Kind}
    return RecordedCall(
        time=now_in_utc(),
        site=site.name,
        operation=handled.operation,
        method=call.method,
        path=call.target,
        status=status,
        entities=sum(of_kind.values()),
        incidents=of_kind[Kind.INCIDENT],
        reviews=of_kind[Kind.REVIEW],
        components=of_kind[Kind.COMPONENT],
        workspaces=counts.get("workspaceIds", 0),
        bytes=call.size,
        milliseconds=round(seconds * 1000, 1),
        reason=handled.reason,
    )
