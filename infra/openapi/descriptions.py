"""Descriptions of fields: the string literal below each field, read from the source.

Python discards these strings, so a description is next to its field and costs a function no time.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import cleandoc, getsource
from itertools import pairwise

from relay.catalog.webhooks import WebhookDocument

# For models without descriptions; the empty name is the model itself.
_OTHERS: Mapping[str, Mapping[str, str]] = {
    WebhookDocument.__qualname__: {
        "": "Where a workspace's notices are sent.",
        "url": "The URL that notices are sent to: https, with a public host, without a user name "
        "or a fragment.",
        "secret": "The secret that signs notices: `whsec_`, then 24 to 64 bytes in base64.",
    }
}


def descriptions_of(kind: type) -> dict[str, str]:
    """Descriptions by the field's name in Python; a class's own override its bases'.

    The empty name is the class's own description, if pydantic does not have one.
    """
    found: dict[str, str] = {}
    # A TypedDict's bases are not in its method resolution order.
    for base in reversed(getattr(kind, "__orig_bases__", kind.__bases__)):
        found |= descriptions_of(base) if isinstance(base, type) else {}
    own = _in_sources(kind.__module__).get(kind.__qualname__, {})
    return {**found, **_OTHERS.get(kind.__qualname__, {}), **own}


@cache
def _in_sources(module: str) -> dict[str, dict[str, str]]:
    try:
        tree = ast.parse(getsource(import_module(module)))
    except (OSError, TypeError):
        # A module written in C has no source.
        return {}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_described(node.body)) for node in classes}


def _described(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            yield field.target.id, " ".join(cleandoc(text.value.value).split())
