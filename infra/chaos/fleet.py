"""The worker processes: who is free takes the next invocation, who was killed is replaced."""

import importlib
import multiprocessing
import os
import queue
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from infra.chaos.invocation import Ended, Invocation
from infra.local.paths import ROOT

# Loaded by the workers alone: it loads the functions, and puts faults before AWS and Jira.
_WORKER = "infra.chaos.worker"


@dataclass
class _Worker:
    process: ForkServerProcess
    connection: Connection


class Fleet:
    """May be used by many threads. `environment` is that of every function."""

    def __init__(self, size: int, environment: dict[str, str], log: Path) -> None:
        self.invoked: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()
        self.aws_errors: Counter[str] = Counter()
        self._log = log
        os.environ.update(environment)
        os.environ["PYTHONPATH"] = f"{ROOT / 'shared'}:{ROOT}"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([_WORKER])
        self._free: queue.Queue[_Worker] = queue.Queue()
        for _ in range(size):
            self._free.put(self._start())

    def invoke(self, invocation: Invocation, kill_after: float | None = None) -> Ended:
        """Waits for a free worker; `kill_after` so many seconds it is killed from outside."""
        one = self._free.get()
        try:
            ended = self._run(one, invocation, kill_after)
        except (EOFError, OSError):
            ended = Ended(killed=True)
        if ended.killed:
            self._end(one)
            one = self._start()
            self.killed[invocation.function] += 1
        self._free.put(one)
        self.invoked[invocation.function] += 1
        self.aws_errors.update(ended.aws_errors)
        return ended

    def close(self) -> None:
        while not self._free.empty():
            self._end(self._free.get())

    def _run(self, one: _Worker, invocation: Invocation, kill_after: float | None) -> Ended:
        """Lambda ends a function, too, whose time is over."""
        one.connection.send(invocation)
        seconds = invocation.seconds if kill_after is None else kill_after
        if one.connection.poll(seconds):
            ended: Ended = one.connection.recv()
            return ended
        return Ended(killed=True)

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, str(self._log)))
        process.start()
        theirs.close()
        return _Worker(process, ours)

    @staticmethod
    def _end(one: _Worker) -> None:
        one.process.kill()
        one.process.join()
        one.connection.close()


def _serve(connection: Connection, log: str) -> None:
    importlib.import_module(_WORKER).serve(connection, log)


def settle() -> None:
    """What a killed worker had asked for is over by then."""
    time.sleep(0.3)
