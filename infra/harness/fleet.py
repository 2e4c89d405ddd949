"""The worker processes: a free worker runs the next invocation, a killed one is replaced."""

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

from infra.harness.invocation import Invocation, InvocationResult
from infra.local.paths import ROOT

# Imported only by the workers: it loads the functions and hooks their calls to AWS and Jira.
_WORKER = "infra.harness.worker"


@dataclass
class _Worker:
    process: ForkServerProcess
    connection: Connection

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class Fleet:
    """A pool of workers with the same environment. Thread-safe."""

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

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Runs the invocation on a free worker; blocks until there is one."""
        worker = self._free.get()
        try:
            result = _run(worker, invocation)
        except (EOFError, OSError):
            result = InvocationResult(killed=True)
        if result.killed:
            worker.kill()
            worker = self._start()
            self.killed[invocation.function] += 1
        self._free.put(worker)
        self.invoked[invocation.function] += 1
        self.aws_errors.update(result.aws_errors)
        return result

    def close(self) -> None:
        """Kills all workers."""
        while not self._free.empty():
            self._free.get().kill()

    def _start(self) -> _Worker:
        own_end, worker_end = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(worker_end, str(self._log)))
        process.start()
        worker_end.close()
        return _Worker(process, own_end)


def _run(worker: _Worker, invocation: Invocation) -> InvocationResult:
    """Kill a function that exceeds its time limit, as Lambda does."""
    worker.connection.send(invocation)
    killed_after = invocation.killed_after
    if worker.connection.poll(invocation.seconds if killed_after is None else killed_after):
        result: InvocationResult = worker.connection.recv()
        return result
    return InvocationResult(killed=True)


def _serve(connection: Connection, log: str) -> None:
    importlib.import_module(_WORKER).serve(connection, log)


def settle() -> None:
    """Waits until the requests of a killed worker have ended."""
    time.sleep(0.3)
