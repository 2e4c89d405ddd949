"""How the tests share the cores: a plugin of pytest that `make test` loads."""

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Each of these modules has one stack, or one build, that its tests share.
SHARING = ("tests/e2e/", "tests/deploy/")


class SharedStackScheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Runs the tests of one stack in one process, one after the other, and all others anywhere."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in SHARING if nodeid.startswith(folder)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharedStackScheduler:
    return SharedStackScheduler(config, log)
