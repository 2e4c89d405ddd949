"""The functions' handlers: routes, names, docstrings and query parameters, read from the source.

A handler's name is the operation's id, its docstring the operation's summary and description.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic.alias_generators import to_camel

from infra.openapi.template import Route

FUNCTIONS = Path(__file__).parents[2] / "functions"


@dataclass(frozen=True)
class Handler:
    """`query` has the names of the parameters; None if the route accepts any name."""

    route: Route
    id: str
    summary: str
    description: str
    query: tuple[str, ...] | None


def handlers(folder: Path = FUNCTIONS) -> dict[Route, Handler]:
    """Every handler, by its route. Raises ValueError for one without a docstring."""
    found = [
        handler
        for path in sorted(folder.glob("*/handler.py"))
        for handler in _handlers_in(ast.parse(path.read_text("utf-8")))
    ]
    return {handler.route: handler for handler in found}


def _handlers_in(tree: ast.Module) -> Iterator[Handler]:
    for function in tree.body:
        for call in getattr(function, "decorator_list", []):
            # `@in_context` is a decorator without a call.
            if isinstance(function, ast.FunctionDef) and isinstance(call, ast.Call):
                yield _handler(function, call)


def _handler(function: ast.FunctionDef, decorator: ast.Call) -> Handler:
    method = ast.unparse(decorator.func).rpartition(".")[2].upper()
    path = ast.literal_eval(decorator.args[0]).replace("+}", "}")
    summary, _, description = (ast.get_docstring(function) or "").partition("\n\n")
    if not summary:
        raise ValueError(f"{function.name} has no docstring")
    queries = [ast.literal_eval(one.value) for one in decorator.keywords]
    return Handler(
        Route(method, path),
        to_camel(function.name),
        " ".join(summary.split()).removesuffix("."),
        " ".join(description.split()),
        *(queries or [()]),
    )
