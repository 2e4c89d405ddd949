"""The whole document: every route of the template with what its area says of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from tomllib import loads
from typing import Any

from pydantic import BaseModel

from infra.openapi import (
    actions,
    catalog,
    entities,
    forge,
    keys,
    lifecycle,
    notices,
    public,
    replays,
    sites,
    submissions,
)
from infra.openapi.errors import Error, GatewayError, MigrationError, errors_of, shape_of
from infra.openapi.operation import JSON, Answer, Caller, Operation, Parameter
from infra.openapi.schemas import components, inline, reference
from infra.openapi.template import Route, routes, throttling
from relay.edge.http import CORRELATION_HEADER
from relay.edge.paging import PAGE_BYTES_MAX
from relay.edge.query import PAGE_MAX
from relay.entities.document import (
    CONTAINERS_BYTES_MAX,
    DOCUMENT_BYTES_MAX,
    SUBMISSION_BYTES_MAX,
)
from relay.errors import RelayError

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
AREAS = (submissions, entities, catalog, sites, replays, keys, actions, lifecycle, forge, public)
OPERATIONS: Mapping[Route, Operation] = {
    operation.route: operation for area in AREAS for operation in area.OPERATIONS
}
# Statuses that API Gateway answers by itself, too.
_GATEWAY = (413, 429, 500, 503)
_NOT_IN_NAMES = str.maketrans("", "", "[]")
_TITLES = {
    400: "What was sent breaks a rule; `details` say which.",
    401: "Who calls is not proven.",
    403: "The API key is not for this.",
    404: "There is no such thing.",
    409: "What is there already stands against it.",
    413: "What was sent is too large, or what would be answered; `details` say by which rule. In "
    "the shape of `GatewayError`: the body is larger than API Gateway or Lambda takes.",
    415: "What was sent is no JSON, or compressed in another way than gzip.",
    429: "API Gateway's answer to more calls of this route than it lets through. Nothing of the "
    "call was done: send it again after a moment. There is no header `Retry-After`.",
    500: "Something went wrong.",
    502: "Jira refuses; asking again as it is would not help.",
    503: "A part of Relay, or Jira, can't answer now; try again.",
}
_INFO = """\
Brings incidents and post-incident reviews of an operations tool to the Incidents page of Jira \
Software Cloud.

The operations tool calls `/v1/…` with an API key; Jira and Forge call the rest, each with a token \
that it signs. \
Every error has the shape of `Error`. Every answer has the header `x-correlation-id`, by which the \
logs name the call; a caller may bring its own. `HEAD` is answered where `GET` is, without the \
body. Any other method and path that is not in this document is answered 404. A query parameter \
under `/v1/` that is unknown, or there more than once, is refused with 400.

API Gateway decodes paths before Relay sees them: a percent-encoded `?` may cut a path off, and a \
percent sign may be decoded twice. A call with the header `x-relay-path`, the path below the base \
URL as its caller encoded it, is refused with 400 where another path has arrived.

A list comes in pages of at most `limit` members, {page_max} unless given, and of at most \
{page_bytes_max} bytes, but one member in any case. A page's `next` is `after` of the page that \
follows; the last page has none.

A body has at most {document_bytes_max} bytes of JSON; a submission {submission_bytes_max} and a \
list of containers {containers_bytes_max}. More is answered 413. Of each route API Gateway lets \
through {throttling}. More is answered 429."""
_SECURITY = {
    Caller.PROVIDER: {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, for all workspaces or for some. Keys, and all that changes "
        "something of a site, need one for all.",
    },
    Caller.SITE: {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`JWT <token>`: HS256 with the secret that the site shares with the app, "
        "and `qsh`, the hash of this request. The query's `jwt` may hold the token instead.",
    },
    Caller.JIRA: {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`JWT <token>`: RS256 by Atlassian's key of the token's `kid`, for this "
        "app's base URL, with `qsh`.",
    },
    Caller.FORGE: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "Forge Invocation Token",
        "description": "RS256 by one of Forge's keys, for the deployment's ForgeAppId; the token "
        "names the installation, its environment (one of ForgeEnvironments) and the module that "
        "calls. Where there is no ForgeAppId, none passes.",
    },
}


def _info() -> str:
    rest = {route: limit for route, limit in throttling().items() if route}
    usual = throttling()[""]
    words = [f"{usual.rate} calls per second and {usual.burst} at once"]
    words += [f"of `{route}` {rate} and {burst}" for route, (rate, burst) in rest.items()]
    return _INFO.format(
        page_max=PAGE_MAX,
        page_bytes_max=PAGE_BYTES_MAX,
        document_bytes_max=DOCUMENT_BYTES_MAX,
        submission_bytes_max=SUBMISSION_BYTES_MAX,
        containers_bytes_max=CONTAINERS_BYTES_MAX,
        throttling="; ".join(words),
    )


def document() -> dict[str, Any]:
    """Raises ValueError where a route has no description, or a description no route."""
    ordered = list(routes())
    check_complete(ordered)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Relay",
            "version": loads(_PROJECT.read_text("utf-8"))["project"]["version"],
            "description": _info(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "{baseUrl}",
                "variables": {"baseUrl": {"default": "https://relay.example.com"}},
            }
        ],
        "tags": [{"name": area.TAG, "description": (area.__doc__ or "").strip()} for area in AREAS],
        "paths": _paths(ordered),
        "webhooks": notices.webhooks(),
        "components": {
            "schemas": components(_models()),
            "responses": _error_answers(),
            "securitySchemes": {caller.value: scheme for caller, scheme in _SECURITY.items()},
            "headers": {
                "CorrelationId": {
                    "description": "The call's name in the logs.",
                    "schema": {"type": "string"},
                }
            },
        },
    }


def check_complete(ordered: Collection[Route]) -> None:
    """Raises ValueError unless these are the routes that are described, each once."""
    described = [operation for area in AREAS for operation in area.OPERATIONS]
    if len(described) != len(OPERATIONS) or len({one.id for one in described}) != len(described):
        raise ValueError("a route, or an id, is described twice")
    if undescribed := set(ordered) - OPERATIONS.keys():
        raise ValueError(f"infra/openapi does not describe {sorted(undescribed)}")
    if unserved := OPERATIONS.keys() - set(ordered):
        raise ValueError(f"template.yaml has no route for {sorted(unserved)}")


def _paths(ordered: Iterable[Route]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ordered:
        operation = _operation(OPERATIONS[route])
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return paths


def _models() -> Iterator[type[BaseModel]]:
    yield from (Error, MigrationError, GatewayError)
    yield from notices.NOTICES.values()
    for operation in OPERATIONS.values():
        if operation.body:
            yield operation.body
        yield from (answer.model for answer in operation.answers if answer.model)


def _operation(operation: Operation) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": [{scheme: []} for scheme in operation.schemes],
        "parameters": [_parameter(parameter, operation) for parameter in operation.parameters],
        "requestBody": _body(operation),
        "responses": _responses(operation),
    }
    return {name: value for name, value in written.items() if value or name == "security"}


def _parameter(parameter: Parameter, operation: Operation) -> dict[str, Any]:
    in_path = parameter.where == "path"
    written = {
        "name": parameter.name,
        "in": parameter.where,
        "required": in_path or parameter.explode or parameter.required,
        "description": parameter.description,
        "schema": inline(parameter.schema),
    }
    if parameter.explode:
        examples = {one.name: {"value": dict(one.query)} for one in operation.examples if one.query}
        return written | {"style": "form", "explode": True, "examples": examples}
    examples = {
        one.name: {"value": _typed(value)}
        for one in operation.examples
        for name, value in (one.path if in_path else one.query).items()
        if name == parameter.name
    }
    return written | ({"examples": examples} if examples else {})


def _typed(value: str) -> Any:
    """A value of a path or query as its schema has it."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdecimal() else value


def _body(operation: Operation) -> dict[str, Any] | None:
    if operation.body is None:
        return None
    examples = {one.name: {"value": one.body} for one in operation.examples if one.body is not None}
    content = {"schema": reference(operation.body), "examples": examples}
    return {"required": operation.body_required, "content": {JSON: content}}


def _responses(operation: Operation) -> dict[str, Any]:
    responses = {str(answer.status): _answer(answer, operation) for answer in operation.answers}
    for status, found in _errors_by_status(operation).items():
        name = _name(status, found)
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return responses


def _error_answers() -> dict[str, Any]:
    """Every set of errors that some operation answers with one status, by its name."""
    made: dict[str, Any] = {}
    for operation in OPERATIONS.values():
        for status, found in _errors_by_status(operation).items():
            made[_name(status, found)] = _error_answer(status, found)
    return dict(sorted(made.items()))


def _errors_by_status(operation: Operation) -> dict[int, dict[str, RelayError]]:
    """Each error by its code, and the rule that is broken."""
    by_status: dict[int, dict[str, RelayError]] = {429: {}}
    for error in errors_of(operation):
        rules = [f"{detail.path}.{detail.rule}".strip(".") for detail in error.details]
        name = "-".join([error.error_code, *rules])
        by_status.setdefault(error.status, {})[name] = error
    return dict(sorted(by_status.items()))


def _name(status: int, found: Iterable[str]) -> str:
    return "_".join([str(status), *sorted(found)]).translate(_NOT_IN_NAMES)


def _answer(answer: Answer, operation: Operation) -> dict[str, Any]:
    examples = {
        one.name: {"value": one.answer}
        for one in operation.examples
        if one.status == answer.status and one.answer is not None
    }
    own = {
        name: {"description": words, "required": True, "schema": {"type": "string"}}
        for name, words in answer.headers.items()
    }
    written: dict[str, Any] = {"description": answer.description, "headers": own | _headers()}
    if answer.model:
        content = {"schema": reference(answer.model)}
        written["content"] = {JSON: content | ({"examples": examples} if examples else {})}
    elif answer.media != JSON:
        written["content"] = {answer.media: {"schema": {"type": "string"}}}
    return written


def _error_answer(status: int, found: Mapping[str, RelayError]) -> dict[str, Any]:
    shapes = [reference(shape) for shape in dict.fromkeys(map(shape_of, found.values()))]
    if status in _GATEWAY:
        shapes.append(reference(GatewayError))
    content: dict[str, Any] = {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}
    if found:
        content["examples"] = {name: {"value": error.as_body()} for name, error in found.items()}
    headers = {"headers": _headers()} if status not in _GATEWAY else {}
    return {"description": _TITLES[status], **headers, "content": {JSON: content}}


def _headers() -> dict[str, Any]:
    return {CORRELATION_HEADER: {"$ref": "#/components/headers/CorrelationId"}}
