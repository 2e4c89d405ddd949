"""How the tests share the cores; `make test` names this module to pytest as a plugin."""

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Each of these has one stack, or one build, that its tests share.
SHARING = ("tests/e2e/", "tests/deploy/")


class OneProcessForWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of a stack run in one process, one after the other; all others where it suits."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in SHARING if nodeid.startswith(folder)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneProcessForWhatIsShared:
    return OneProcessForWhatIsShared(config, log)
