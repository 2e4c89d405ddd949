"""The operations: the handlers' names and docstrings, with the content of document.yaml.

For each route, document.yaml has the answers (`200 Site: …` names a shape, `200 text/html: …` a
media type), the shape of the body, the errors of this operation alone, and examples.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

from infra.openapi.errors import ERRORS
from infra.openapi.handlers import Handler, handlers
from infra.openapi.operation import Answer, Caller, Example, Operation
from infra.openapi.parameters import in_path, parameter
from infra.openapi.shapes import SHAPES
from infra.openapi.template import Route, throttling
from relay.catalog.containers import NAMES_CHARACTERS_MAX, RESULTS_MAX
from relay.edge.answer import PAGE_BYTES_MAX
from relay.edge.documents import CONTAINERS_MAX
from relay.edge.query import PAGE_MAX
from relay.entities.document import CONTAINERS_BYTES_MAX, DOCUMENT_BYTES_MAX, SUBMISSION_BYTES_MAX
from relay.entities.fields import TEXT_MAX


@cache
def texts() -> Mapping[str, Any]:
    """The content of document.yaml, with the values of its constants."""
    limits = throttling()
    usual = limits.pop("")
    admitted = [f"{usual.rate} calls per second, with bursts of {usual.burst}"]
    admitted += [
        f"`{route}` {one.rate}, with bursts of {one.burst}" for route, one in limits.items()
    ]
    text = Path(__file__).with_name("document.yaml").read_text("utf-8")
    found: Mapping[str, Any] = yaml.safe_load(
        Template(text).substitute(
            CONTAINERS_BYTES_MAX=CONTAINERS_BYTES_MAX,
            CONTAINERS_MAX=CONTAINERS_MAX,
            DOCUMENT_BYTES_MAX=DOCUMENT_BYTES_MAX,
            LONG_TEXT="x" * (TEXT_MAX + 1),
            NAMES_CHARACTERS_MAX=NAMES_CHARACTERS_MAX,
            PAGE_BYTES_MAX=PAGE_BYTES_MAX,
            PAGE_MAX=PAGE_MAX,
            RESULTS_MAX=RESULTS_MAX,
            SUBMISSION_BYTES_MAX=SUBMISSION_BYTES_MAX,
            THROTTLING="; ".join(admitted),
        )
    )
    return found


def _operations() -> Iterator[Operation]:
    known = handlers()
    for tag in texts()["tags"]:
        for one in tag["operations"]:
            route = Route(*one["route"].split())
            if route not in known:
                raise ValueError(f"no function has a handler for {route}")
            yield _operation(tag["name"], known[route], {**tag, **one})


def _operation(tag: str, handler: Handler, one: Mapping[str, Any]) -> Operation:
    """Raises KeyError for an unknown name, and TypeError for an unknown field of an example."""
    path = in_path(handler.route.path)
    values = {parameter.name: parameter.example for parameter in path}
    answers = [_answer(str(status), text) for status, text in one["answers"].items()]
    usual = {"status": answers[0].status, "path": values}
    # A query with any names contains properties.
    names = handler.query if handler.query is not None else ("properties",)
    return Operation(
        route=handler.route,
        id=handler.id,
        tag=tag,
        summary=handler.summary,
        description=handler.description,
        answers=answers,
        examples=[
            Example(name, **{**usual, **example}) for name, example in one["examples"].items()
        ],
        parameters=[
            *path,
            *(parameter(handler.id, name) for name in (*names, *one.get("headers", ()))),
        ],
        callers=[Caller(caller) for caller in one.get("callers", ())],
        body=SHAPES[one["body"]] if "body" in one else None,
        body_required=one.get("body_required", True),
        errors=[ERRORS[name] for name in one.get("errors", ())],
    )


def _answer(status: str, text: str | Mapping[str, Any]) -> Answer:
    """From `200 Site: …`, `200 text/html: …` or `204: …`."""
    number, _, content = status.partition(" ")
    words = {"description": text} if isinstance(text, str) else text
    if "/" in content:
        return Answer(int(number), media=content, **words)
    return Answer(int(number), model=SHAPES[content] if content else None, **words)


ALL = tuple(_operations())
OPERATIONS: Mapping[Route, Operation] = {operation.route: operation for operation in ALL}
# The bodies of the first examples, for tests.
INCIDENT: dict[str, Any] = texts()["examples"][0]
REVIEW: dict[str, Any] = texts()["examples"][1]
