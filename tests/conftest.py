"""Fixtures of all tests: the functions in this process on moto, with the template's tables, queues
and key.
"""

import io
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, settings
from moto import mock_aws

from infra.lambdas.stores import create_stores
from relay import keys
from relay.identity.api_keys import ApiKeys
from relay.keys import SHARDS
from relay.telemetry import logger
from tests.integration.relay_stage import Relay, Start, relay_with
from tests.integration.simulator_stage import Simulator, running_simulator
from tests.support.aws import REGION, VARIABLES, Aws
from tests.support.aws_calls import AwsCalls, aws_calls
from tests.support.aws_limits import aws_limits
from tests.support.aws_permissions import aws_permissions
from tests.support.browser import report_left_out
from tests.support.clock import Clock
from tests.support.lambdas import APP_KEY, BASE_URL, load, variables_of
from tests.support.quick_aws import pooled_clients, quick_aws

# Example durations depend on the machine, not on Relay.
settings.register_profile("relay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relay")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    report_left_out(terminalreporter)


@pytest.fixture(scope="session", autouse=True)
def aws_as_it_is() -> Iterator[None]:
    """Make the emulated AWS fast, and refuse what AWS would refuse."""
    with quick_aws(), aws_limits(), aws_permissions():
        yield


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own AWS configuration out of reach."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",  # no secret
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "APP_KEY": APP_KEY,
        "BASE_URL": BASE_URL,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws(
    credentials: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Aws]:
    """Start each test with empty stores.

    With fewer shards than on AWS: a replay reads each of them, which the emulated tables do slowly.
    """
    monkeypatch.setattr(keys, "SHARDS", 2)
    with mock_aws(), pooled_clients():
        dynamodb = boto3.client("dynamodb")
        sqs = boto3.client("sqs")
        kms = boto3.client("kms")
        environment = create_stores(dynamodb, sqs, kms) | VARIABLES
        yield Aws(dynamodb, sqs, kms, environment)


@pytest.fixture
def every_shard(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """As on AWS, for tests of the shards themselves, or with functions in other processes."""
    monkeypatch.setattr(keys, "SHARDS", SHARDS)


@pytest.fixture
def function(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Load a function with only the variables that the template gives it."""

    def load_function(name: str, **overrides: str) -> ModuleType:
        for variable in variables_of(name):
            monkeypatch.setenv(variable, overrides.get(variable, aws.environment[variable]))
        return load(name)

    return load_function


@pytest.fixture
def api_key(aws: Aws) -> str:
    return ApiKeys(aws.dynamodb, aws.environment["API_KEYS_TABLE"]).issue()


@pytest.fixture
def start(
    function: Callable[..., ModuleType],
    aws: Aws,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Start]:
    """Start Relay with these workspaces and variables; with a simulator, serve it over HTTP."""
    with ExitStack() as stack:

        def started(
            *workspaces: str, simulator: Simulator | None = None, **variables: str
        ) -> Relay:
            relay = stack.enter_context(
                relay_with(function, aws, api_key, monkeypatch, simulator, **variables)
            )
            for workspace in workspaces:
                relay.put_workspace(workspace)
            return relay

        yield started


@pytest.fixture(scope="session")
def one_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("jira")) as running:
        yield running


@pytest.fixture
def simulator(one_simulator: Simulator) -> Simulator:
    """A simulator without the faults and calls of earlier tests; changes are visible
    immediately.
    """
    one_simulator.set(
        visibleAfterSeconds=0,
        maxBodyBytes=5 * 1024 * 1024,
        answerDelaySeconds=0,
        sequencesAfterDeletion="forgotten",
        forgeTimeoutSeconds=5,
        systemTokenSeconds=4 * 3600,
    )
    for path in ("/faults", "/calls"):
        one_simulator.control("DELETE", path).raise_for_status()
    return one_simulator


@pytest.fixture
def calls() -> Iterator[AwsCalls]:
    """The calls to AWS from now on."""
    with aws_calls() as calls:
        yield calls


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`resolve(host, *addresses)` makes the host resolve to these addresses from now on."""
    given: dict[str, tuple[str, ...]] = {}
    own: Callable[..., list[Any]] = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **options: Any) -> list[Any]:
        addresses = given.get(host, (host,))
        return [found for one in addresses for found in own(one, *args, **options)]

    def put(host: str, *addresses: str) -> None:
        given[host] = addresses

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return put


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("relay.tenants.lifecycle.clock", lambda: clock.seconds)
    return clock


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Everything logged and printed so far, by Relay and, from INFO on, by the libraries."""
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
