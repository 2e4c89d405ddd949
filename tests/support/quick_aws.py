"""botocore and moto without the work that they repeat for each client and call, one call at a time.

Responses are unchanged: DynamoDB's values are copied as they are, and parsed or read data is
cached.
"""

import base64
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.hooks import EventAliaser
from botocore.loaders import JSONFileLoader
from botocore.session import Session
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.serialize import JSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import (  # type: ignore[attr-defined]
    UpdateExpressionParser,
)
from moto.kms.utils import generate_private_key


@contextmanager
def quick_aws() -> Iterator[None]:
    with ExitStack() as stack:
        for patched in (
            patch.object(JSONFileLoader, "load_file", _read_once()),
            # An RSA key for every KMS key, even those that need none.
            patch("moto.kms.models.generate_private_key", cache(generate_private_key)),
            # Every HTTP client reads the certificate authorities.
            patch.object(ssl, "create_default_context", cache(ssl.create_default_context)),
            patch("moto.core.responses.method_names_from_class", cache(method_names_from_class)),
            # moto changes a copy of the parsed request.
            patch.object(UpdateExpressionParser, "make", cache(UpdateExpressionParser.make)),
            patch.object(DepthFirstTraverser, "traverse_node_recursively", _traverse),
            patch.object(JSONSerializer, "_serialize_type_structure", _serialize_structure),
            # A transaction of moto's that fails undoes what others have written meanwhile.
            patch.object(BotocoreStubber, "process_request", _one_at_a_time()),
        ):
            stack.enter_context(patched)
        yield


def _read_once() -> Any:
    read, known = JSONFileLoader.load_file, dict[str, Any]()

    def load_file(self: JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = read(self, path)
        return known[path]

    return load_file


def _one_at_a_time() -> Any:
    process, turn = BotocoreStubber.process_request, threading.RLock()

    def process_request(self: BotocoreStubber, request: AWSPreparedRequest) -> Any:
        with turn:
            return process(self, request)

    return process_request


_serialize_any_structure = JSONSerializer._serialize_type_structure


def _serialize_structure(
    self: JSONSerializer, serialized: dict[str, Any], value: Any, shape: Any, key: str
) -> None:
    if shape.name == "AttributeValue":
        serialized[key] = _attribute_value(value)
    else:
        _serialize_any_structure(self, serialized, value, shape, key)


def _attribute_value(value: dict[str, Any]) -> dict[str, Any]:
    [(kind, content)] = value.items()
    match kind:
        case "B":
            content = _base64(content)
        case "BS":
            content = [_base64(one) for one in content]
        case "L":
            content = [_attribute_value(one) for one in content]
        case "M":
            content = {name: _attribute_value(one) for name, one in content.items()}
    return {kind: content}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _traverse(self: Any, node: Any, child_id: int = -1) -> Any:
    """moto's own function without `isinstance`, which is slow for its abstract classes."""
    if not _is_one(type(node), Node):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, number)
        _traverse(self, child, number)
    if _is_one(type(node), self.nodes_to_be_processed()):
        node = self.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


_is_one: Any = cache(issubclass)


_pool: defaultdict[tuple[object, ...], list[BaseClient]] = defaultdict(list)


@contextmanager
def pooled_clients() -> Iterator[None]:
    """Reuse earlier clients within the context, each by one owner. A client whose events a test has
    changed is not reused.
    """
    create, register = Session.create_client, EventAliaser.register
    made: list[tuple[tuple[object, ...], BaseClient]] = []
    changed: set[object] = set()

    def create_pooled(self: Session, *args: Any, **options: Any) -> BaseClient:
        key = (*args, *sorted(options.items()))
        client = _pool[key].pop() if _pool[key] else create(self, *args, **options)
        changed.discard(client.meta.events)
        made.append((key, client))
        return client

    def register_noted(self: EventAliaser, *args: Any, **options: Any) -> None:
        changed.add(self)
        register(self, *args, **options)

    with (
        patch.object(Session, "create_client", create_pooled),
        patch.object(EventAliaser, "register", register_noted),
    ):
        yield
    for key, client in made:
        if client.meta.events not in changed:
            _pool[key].append(client)
