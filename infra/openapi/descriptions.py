"""What is said of a model's fields: the text below each, which Python itself does not keep.

So a description stands beside its field and costs a function nothing when it starts.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import cleandoc, getsource
from itertools import pairwise

from relay.catalog.webhooks import WebhookDocument

# Of models that have none themselves; what is said of the model itself has the empty name.
_OTHERS: Mapping[str, Mapping[str, str]] = {
    WebhookDocument.__qualname__: {
        "": "Where a workspace's notices go.",
        "url": "Where notices are sent: https, without a user name and a fragment, with a public "
        "host.",
        "secret": "What notices are signed with: `whsec_`, and 24 to 64 bytes in base64.",
    }
}


def descriptions_of(model: type) -> dict[str, str]:
    """By the field's name in Python; what a model says of a field goes before what its bases say.
    What it says of itself has the empty name, where pydantic does not know it."""
    found: dict[str, str] = dict(_OTHERS.get(model.__qualname__, {}))
    for kind in reversed(model.__mro__):
        found |= _in_sources(kind.__module__).get(kind.__qualname__, {})
    return found


@cache
def _in_sources(module: str) -> dict[str, dict[str, str]]:
    try:
        tree = ast.parse(getsource(import_module(module)))
    except (OSError, TypeError):
        # A module that is written in C has no source.
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
