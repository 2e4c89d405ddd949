"""How the tests share the cores; `make test` names this module to pytest as a plugin."""

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

STACK = "tests/e2e/"


class OneProcessForTheStack(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of the stack run in one process, one after the other; all others where it suits."""

    def _split_scope(self, nodeid: str) -> str:
        return STACK if nodeid.startswith(STACK) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneProcessForTheStack:
    return OneProcessForTheStack(config, log)
