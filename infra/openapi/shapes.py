"""The models and shapes of requests and answers, by name."""

from collections.abc import Mapping
from importlib import import_module
from inspect import getmembers
from pkgutil import iter_modules

from pydantic import BaseModel
from typing_extensions import is_typeddict

from relay.edge import (
    action_documents,
    documents,
    export_documents,
    page_documents,
    shapes,
    site_documents,
    source_documents,
)
from relay.entities import association
from relay.identity import signed_install

_REQUESTS = (
    association,
    signed_install,
    action_documents,
    documents,
    export_documents,
    page_documents,
    site_documents,
    source_documents,
)
_ANSWERS = [
    import_module(f"{shapes.__name__}.{module.name}") for module in iter_modules(shapes.__path__)
]


def _is_shape(value: object) -> bool:
    return is_typeddict(value) or (isinstance(value, type) and issubclass(value, BaseModel))


SHAPES: Mapping[str, type] = {
    name: kind for module in (*_REQUESTS, *_ANSWERS) for name, kind in getmembers(module, _is_shape)
}
