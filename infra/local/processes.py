"""Child processes that are stopped with all their children, and commands that must succeed."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.local.failure import StackFailure, with_log
from infra.local.paths import ROOT

# Seconds. The services keep everything in memory, so they need no time to end.
STOP_SECONDS = 0.5
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Service:
    """A server, the leader of its own process group."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def group(self) -> int:
        """The id of the process group."""
        return self.process.pid

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Polls until it is ready. Stops it and raises StackFailure if it ends or takes longer."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            if is_ready():
                return
            time.sleep(POLL_SECONDS)
        ended = self.process.poll() is not None
        stop_services([self])
        what = "ended during its start" if ended else f"was not ready after {seconds:.0f} s"
        raise with_log(f"{self.name} {what}.", self.log)


def start_service(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    keep_open: Sequence[int] = (),
) -> Service:
    """Starts a server whose output goes to `log`, in its own session: Ctrl-C does not reach it."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keep_open,
        )
    return Service(name, process, log)


def stop_services(services: Sequence[Service]) -> None:
    """Stops the services and all processes that they started."""
    _signal_all(signal.SIGTERM, [service.group for service in services])
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(one.process.poll() is None for one in services):
        time.sleep(POLL_SECONDS)
    _signal_all(signal.SIGKILL, [service.group for service in services])
    for service in services:
        service.process.wait()


def stop_groups(groups: Sequence[int]) -> None:
    """Stops process groups that another command started."""
    _signal_all(signal.SIGTERM, groups)
    time.sleep(STOP_SECONDS)
    _signal_all(signal.SIGKILL, groups)


def run_command(
    what: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    seconds: float,
) -> None:
    """Runs a command, with its output in the log. Raises StackFailure with the log's last lines."""
    service = start_service(what, command, environment, log)
    try:
        code = service.process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise with_log(f"{what} took longer than {seconds:.0f} s.", log) from None
    finally:
        stop_services([service])
    if code != 0:
        raise with_log(f"{what} failed.", log)


def require(tool: Path) -> None:
    """Raises StackFailure if the tool is not installed."""
    if not tool.exists():
        raise StackFailure(
            f"{tool.relative_to(ROOT)} does not exist. Run `make environments` first."
        )


def _signal_all(number: signal.Signals, groups: Sequence[int]) -> None:
    for group in groups:
        # A group is gone when the last process in it is.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
