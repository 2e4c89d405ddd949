"""What is slow and the same for every test: read or made once, not by each of them."""

import ssl
from collections.abc import Iterator
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from botocore.loaders import JSONFileLoader
from moto.kms.utils import generate_private_key


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """For every test of a module or a conftest that imports it.

    botocore reads its models for every emulated AWS, moto makes an RSA key for every KMS key, of
    those that need none, too, and every HTTP client reads the certificate authorities.
    """
    read = JSONFileLoader.load_file
    known: dict[str, Any] = {}

    def read_once(self: JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = read(self, path)
        return known[path]

    with (
        patch.object(JSONFileLoader, "load_file", read_once),
        patch("moto.kms.models.generate_private_key", cache(generate_private_key)),
        patch.object(ssl, "create_default_context", cache(ssl.create_default_context)),
    ):
        yield
