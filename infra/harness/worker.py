"""A worker process: loads every function once and runs invocations from a pipe, as Lambda does.

Workers are forked from a process that has loaded everything, so replacing a killed one is fast.
They have the faults of a `Boundary`, or AWS's latencies if the environment asks for these.
"""

import gc
import multiprocessing
import os
import time
import traceback
from multiprocessing.connection import Connection
from types import ModuleType

from infra.harness.boundary import Boundary
from infra.harness.invocation import Invocation, InvocationResult
from infra.harness.latencies import SEED_VARIABLE, Draws, installed_from_environment
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
    """A Lambda context with this many seconds left."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the time limit; 0 after it."""
        return max(int((self._ends - time.monotonic()) * 1000), 0)


def _loaded() -> tuple[Boundary, Draws | None, dict[str, ModuleType]]:
    boundary = Boundary()
    draws = installed_from_environment()
    if not draws:
        boundary.install()
    modules = {name: load(name) for name in FUNCTIONS}
    for part in gc.get_objects():
        if isinstance(part, Sites | ReplaySchedule):
            part._clock = boundary.now
    return boundary, draws, modules


# Imported by the process that workers are forked from, which has the functions' environment.
BOUNDARY, DRAWS, MODULES = _loaded() if "TENANTS_TABLE" in os.environ else (Boundary(), None, {})


def serve(connection: Connection, log: str) -> None:
    """Runs invocations, one at a time, until the pipe is closed; logs are appended to `log`."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if DRAWS:
        # A worker's name is its number among those that were started.
        DRAWS.reseed(f"{os.environ[SEED_VARIABLE]} {multiprocessing.current_process().name}")
    while True:
        try:
            invocation: Invocation = connection.recv()
        except EOFError:
            return
        connection.send(_run(invocation))


def _run(invocation: Invocation) -> InvocationResult:
    BOUNDARY.begin(invocation)
    error, answer = "", {}
    try:
        answer = MODULES[invocation.function].handler(
            invocation.event, LimitedContext(invocation.seconds)
        )
    except Exception as raised:
        traceback.print_exc()
        error = type(raised).__name__
    plain = dict(answer) if isinstance(answer, dict) else {}
    return InvocationResult(plain, error, aws_errors=dict(BOUNDARY.errors))
