"""Child processes that end with everything they started, and commands that must succeed."""

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

# All that our services hold is in memory, and to be forgotten.
STOP_SECONDS = 0.5
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Service:
    """A server that runs as the leader of a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def group(self) -> int:
        return self.process.pid

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Polls until it is ready; stops it and raises if it dies or takes too long."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            if is_ready():
                return
            time.sleep(POLL_SECONDS)
        ended = self.process.poll() is not None
        stop_services([self])
        what = "ended while it started" if ended else f"was not ready after {seconds:.0f} s"
        raise with_log(f"{self.name} {what}.", self.log)


def start_service(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    keep_open: Sequence[int] = (),
) -> Service:
    """Starts it in a session of its own, so a Ctrl-C at the terminal does not reach it first."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
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
    """Ends them, and everything that they started."""
    _signal_all(signal.SIGTERM, [service.group for service in services])
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(one.process.poll() is None for one in services):
        time.sleep(POLL_SECONDS)
    _signal_all(signal.SIGKILL, [service.group for service in services])
    for service in services:
        service.process.wait()


def stop_groups(groups: Sequence[int]) -> None:
    """Ends process groups that another process of ours has started."""
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
    """Runs it to its end, output into the log; raises with the log's end if it fails."""
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
    if not tool.exists():
        raise StackFailure(f"{tool.relative_to(ROOT)} is not there: run `make environments` first.")


def _signal_all(number: signal.Signals, groups: Sequence[int]) -> None:
    for group in groups:
        # A group is gone when the last process in it is.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
