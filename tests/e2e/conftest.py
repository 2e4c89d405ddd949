"""One stack for all end-to-end tests, with every function's IAM policy enforced; each test has its
own site.

The stack is the demo's: the real template, on its own ports and in its own folder.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.first_tenant import set_up
from infra.local.screen import Screen
from infra.local.stack import Stack
from infra.local.story import Story
from tests.e2e.states import await_replay
from tests.e2e.steering import Steering
from tests.support.own_stack import own_stack

# With SnapStart, so that the tests call versions as a deployment with it does.
PARAMETERS = {"LogLevel": "DEBUG", "SnapStart": "on"}
_numbers = itertools.count(1)
LAST = Path(__file__).with_name("test_logs.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the logs last, when everything else has logged."""
    items.sort(key=lambda item: item.path == LAST)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with own_stack(enforce_iam=True, **PARAMETERS) as running:
        yield running


@pytest.fixture
def story(stack: Stack) -> Iterator[Story]:
    """A new workspace, linked to a new site.

    The link's own replay is over: otherwise it could deliver a test's first entities a second time,
    which is allowed, but not what a test that counts calls is about.
    """
    number = next(_numbers)
    tenancy = set_up(stack, f"site-{number}", f"workspace-{number}")
    with Story(stack, tenancy, Screen()) as story:
        await_replay(story)
        yield story


@pytest.fixture
def steering(stack: Stack) -> Iterator[Steering]:
    steering = Steering(stack)
    yield steering
    steering.undo()
