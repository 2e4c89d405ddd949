"""The models and shapes of requests and answers, by name."""

from collections.abc import Mapping
from inspect import getmembers

from pydantic import BaseModel
from typing_extensions import is_typeddict

from relay import catalog
from relay.edge import action_documents, documents, site_documents
from relay.edge.shapes import (
    actions,
    entities,
    errors,
    forge,
    keys,
    notices,
    public,
    replays,
    sites,
    submissions,
)
from relay.edge.shapes import catalog as catalog_answers
from relay.entities import association
from relay.identity import signed_install

_REQUESTS = (association, signed_install, action_documents, documents, site_documents)
_ANSWERS = (
    actions,
    catalog_answers,
    entities,
    errors,
    forge,
    keys,
    notices,
    public,
    replays,
    sites,
    submissions,
)


def _is_shape(value: object) -> bool:
    return is_typeddict(value) or (isinstance(value, type) and issubclass(value, BaseModel))


SHAPES: Mapping[str, type] = {
    name: kind
    for module in (catalog, *_REQUESTS, *_ANSWERS)
    for name, kind in getmembers(module, _is_shape)
}
