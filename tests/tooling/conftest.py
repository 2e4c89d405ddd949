"""A Jira simulator for each module, with an app that its sites can install."""

from collections.abc import Iterator

import pytest

from tests.integration.simulator_stage import (
    ProviderApp,
    Simulator,
    running_app,
    running_simulator,
)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="module")
def one_app() -> Iterator[ProviderApp]:
    with running_app() as running:
        yield running


@pytest.fixture
def app(one_app: ProviderApp) -> ProviderApp:
    """The app without the calls and answers of earlier tests."""
    one_app.received.clear()
    one_app.answers.clear()
    one_app.changes.clear()
    return one_app
