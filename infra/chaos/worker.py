"""A worker process: all the functions, loaded once, and invoked as Lambda would, over a pipe.

The processes are forked from one that has loaded everything, so that a killed one is soon replaced.
"""

import gc
import os
import time
import traceback
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

from infra.chaos.boundary import Boundary
from infra.chaos.invocation import Ended, Invocation
from infra.lambdas.runtime import Context, load
from relay.delivery.sites import Sites
from relay.replays.schedule import ReplaySchedule

FUNCTIONS = (
    "descriptor",
    "entities",
    "lifecycle",
    "links",
    "replayer",
    "replays",
    "submissions",
    "submitter",
    "sweeper",
    "workspaces",
)


class LimitedContext(Context):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(int((self._ends - time.monotonic()) * 1000), 0)


def _loaded() -> tuple[Boundary, dict[str, ModuleType]]:
    boundary = Boundary()
    boundary.install()
    modules = {name: load(name) for name in FUNCTIONS}
    for part in gc.get_objects():
        if isinstance(part, Sites | ReplaySchedule):
            part._clock = boundary.now
    return boundary, modules


# Loaded as the process begins that the workers are forked from: it has the functions' environment.
BOUNDARY, MODULES = _loaded() if "TENANTS_TABLE" in os.environ else (Boundary(), {})


def serve(connection: Connection, log: str) -> None:
    """Run one invocation after the other until the pipe is closed."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    while True:
        try:
            invocation: Invocation = connection.recv()
        except EOFError:
            return
        connection.send(_run(invocation))


def _run(invocation: Invocation) -> Ended:
    BOUNDARY.begin(invocation)
    error, answer = "", {}
    try:
        answer = MODULES[invocation.function].handler(
            invocation.event, LimitedContext(invocation.seconds)
        )
    except Exception as raised:
        traceback.print_exc()
        error = type(raised).__name__
    return Ended(_plain(answer), error, aws_errors=dict(BOUNDARY.errors))


def _plain(answer: Any) -> dict[str, Any]:
    return dict(answer) if isinstance(answer, dict) else {}
