"""The whole document: every route of the template, with its texts in document.yaml."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from tomllib import loads
from typing import Any

from infra.openapi.errors import errors_of, shape_of
from infra.openapi.operation import JSON, Answer, Operation
from infra.openapi.operations import ALL, OPERATIONS, texts
from infra.openapi.parameters import Parameter
from infra.openapi.schemas import components, inline, reference
from infra.openapi.shapes import SHAPES
from infra.openapi.template import Route, routes
from infra.openapi.webhooks import notices, webhooks
from relay.edge.http import CORRELATION_HEADER
from relay.errors import RelayError

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
# Statuses that API Gateway may also answer itself.
_GATEWAY = (413, 429, 500, 503)
_NOT_IN_NAMES = str.maketrans("", "", "[]")
_HEADERS = {CORRELATION_HEADER: {"$ref": "#/components/headers/CorrelationId"}}


def document() -> dict[str, Any]:
    """Builds the document. Raises ValueError as `check_complete` does."""
    ordered = list(routes())
    check_complete(ordered)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Relay",
            "version": loads(_PROJECT.read_text("utf-8"))["project"]["version"],
            "description": texts()["description"],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "{baseUrl}",
                "variables": {"baseUrl": {"default": "https://relay.example.com"}},
            }
        ],
        "tags": [
            {"name": tag["name"], "description": tag["description"]} for tag in texts()["tags"]
        ],
        "paths": _paths(ordered),
        "webhooks": webhooks(),
        "components": {
            "schemas": components(_shapes()),
            "responses": _error_answers(),
            "securitySchemes": texts()["security"],
            "headers": {
                "CorrelationId": {
                    "description": "The call's id in the logs.",
                    "schema": {"type": "string"},
                }
            },
        },
    }


def check_complete(ordered: Collection[Route]) -> None:
    """Raises ValueError unless each of these routes is described exactly once, and no other."""
    if len(ALL) != len(OPERATIONS) or len({one.id for one in ALL}) != len(ALL):
        raise ValueError("a route, or an id, is described twice")
    if undescribed := set(ordered) - OPERATIONS.keys():
        raise ValueError(f"document.yaml does not describe {sorted(undescribed)}")
    if unserved := OPERATIONS.keys() - set(ordered):
        raise ValueError(f"template.yaml has no route for {sorted(unserved)}")


def _paths(ordered: Iterable[Route]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ordered:
        operation = _operation(OPERATIONS[route])
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return paths


def _shapes() -> Iterator[type]:
    yield from (SHAPES[name] for name in ("Error", "MigrationError", "GatewayError"))
    yield from notices().values()
    for operation in ALL:
        if operation.body:
            yield operation.body
        yield from (answer.model for answer in operation.answers if answer.model)


def _operation(operation: Operation) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": [{caller.value: []} for caller in operation.callers],
        "parameters": [_parameter(parameter, operation) for parameter in operation.parameters],
        "requestBody": _body(operation),
        "responses": _responses(operation),
    }
    return {name: value for name, value in written.items() if value or name == "security"}


def _parameter(parameter: Parameter, operation: Operation) -> dict[str, Any]:
    written = {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.description,
        "schema": inline(parameter.schema),
    }
    if parameter.explode:
        examples = {one.name: {"value": dict(one.query)} for one in operation.examples if one.query}
        return written | {"style": "form", "explode": True, "examples": examples}
    examples = {
        one.name: {"value": _typed(value)}
        for one in operation.examples
        for name, value in (one.path if parameter.where == "path" else one.query).items()
        if name == parameter.name
    }
    return written | ({"examples": examples} if examples else {})


def _typed(value: str) -> Any:
    """A value of a path or query, with its type in the schema."""
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
    """Every set of errors that an operation may answer with one status, by its name."""
    made: dict[str, Any] = {}
    for operation in ALL:
        for status, found in _errors_by_status(operation).items():
            made[_name(status, found)] = _error_answer(status, found)
    return dict(sorted(made.items()))


def _errors_by_status(operation: Operation) -> dict[int, dict[str, RelayError]]:
    """By status: the errors by their code and rules."""
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
    written: dict[str, Any] = {"description": answer.description, "headers": own | _HEADERS}
    if answer.model:
        content = {"schema": reference(answer.model)}
        written["content"] = {JSON: content | ({"examples": examples} if examples else {})}
    elif answer.media != JSON:
        written["content"] = {answer.media: {"schema": {"type": "string"}}}
    return written


def _error_answer(status: int, found: Mapping[str, RelayError]) -> dict[str, Any]:
    shapes = [reference(shape) for shape in dict.fromkeys(map(shape_of, found.values()))]
    if status in _GATEWAY:
        shapes.append(reference(SHAPES["GatewayError"]))
    content: dict[str, Any] = {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}
    if found:
        content["examples"] = {name: {"value": error.as_body()} for name, error in found.items()}
    headers = {"headers": _HEADERS} if status not in _GATEWAY else {}
    return {"description": texts()["statuses"][status], **headers, "content": {JSON: content}}
