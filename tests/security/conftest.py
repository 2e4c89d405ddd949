"""The lifecycle function with a key server on loopback."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.support import lifecycle
from tests.support.aws import Aws
from tests.support.key_server import KeyServer, key_server
from tests.support.lifecycle import Jira
from tests.support.tokens import InstallKey


@pytest.fixture(autouse=True)
def emulated_aws_alone(credentials: None) -> None:
    """Emulate AWS for tests without stores, too."""


@pytest.fixture(scope="session")
def install_key() -> InstallKey:
    return lifecycle.install_key()


@pytest.fixture
def keys(install_key: InstallKey) -> Iterator[KeyServer]:
    with key_server() as server:
        server.serve(install_key)
        yield server


@pytest.fixture
def jira(function: Callable[..., ModuleType], keys: KeyServer, install_key: InstallKey) -> Jira:
    return Jira(function("lifecycle", INSTALL_KEYS_URL=keys.url), install_key)


@pytest.fixture
def stored(aws: Aws) -> Callable[[], list[Any]]:
    """Every item of the tenants' table."""

    def items() -> list[Any]:
        found = aws.dynamodb.scan(TableName=aws.environment["TENANTS_TABLE"])["Items"]
        return sorted(found, key=str)

    return items
