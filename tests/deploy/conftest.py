"""The two deployments of an operator, which the procedures of docs/operator.md share: a stack takes
longer to start than most procedures. Every function's IAM policy is enforced.
"""

from collections.abc import Iterator

import pytest

from infra.local.stack import Stack
from tests.deploy.operator_stage import Terminal, terminal_of
from tests.support.own_stack import own_stack

LAST = "test_a_removed_stack_is_deployed_again_and_then_leaves_nothing"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Remove the stack after all other tests of it."""
    items.sort(key=lambda item: item.name == LAST)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with own_stack(enforce_iam=True) as running:
        yield running


@pytest.fixture(scope="session")
def terminal(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return terminal_of(stack, tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal for the other deployment."""
    with own_stack(enforce_iam=True) as running:
        yield terminal_of(running, tmp_path_factory.mktemp("other"))
