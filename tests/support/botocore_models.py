"""botocore reads its models anew for every emulated AWS: most of the time a test would take."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.loaders import JSONFileLoader


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """For every test of a module or a conftest that imports it."""
    read = JSONFileLoader.load_file
    known: dict[str, Any] = {}

    def read_once(self: JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = read(self, path)
        return known[path]

    with patch.object(JSONFileLoader, "load_file", read_once):
        yield
