"""The lifecycle function with a key server on loopback, and a record of all that is written."""

import io
import logging
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from relay.telemetry import logger
from tests.integration.conftest import Aws, api_key, aws, credentials, function
from tests.support import lifecycle
from tests.support.aws_limits import aws_limits_held
from tests.support.botocore_models import models_read_once
from tests.support.key_server import KeyServer, key_server
from tests.support.lifecycle import Jira
from tests.support.tokens import InstallKey

__all__ = ["api_key", "aws", "aws_limits_held", "credentials", "function", "models_read_once"]


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


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that was logged and printed so far: by Relay, and by the libraries from INFO on."""
    stream = io.StringIO()
    ours = logger.registered_handler
    assert isinstance(ours, logging.StreamHandler)
    theirs = logging.StreamHandler(stream)
    root = logging.getLogger()
    level, before = root.level, ours.setStream(stream)
    root.addHandler(theirs)
    root.setLevel(logging.INFO)

    def everything() -> str:
        printed = capsys.readouterr()
        stream.write(printed.out + printed.err)
        return stream.getvalue()

    yield everything
    root.removeHandler(theirs)
    root.setLevel(level)
    ours.setStream(before)
