"""One local stack: MiniStack with Relay deployed, and the Jira simulator."""

import fcntl
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TextIO

from infra.local.aws import LocalAws
from infra.local.build import built_app
from infra.local.deploy import Deployment, base_url, deploy
from infra.local.embedded_aws import EmbeddedAws, start_ministack
from infra.local.event_sources import set_concurrency
from infra.local.failure import StackFailure
from infra.local.layer import with_mounted_layer
from infra.local.parameters import chosen_parameters
from infra.local.ports import port_for
from infra.local.processes import Service, stop_services
from infra.local.queues import without_queue_policies
from infra.local.routes import create_routes
from infra.local.simulator import Jira, start_simulator
from infra.local.warm_up import warm_up

Report = Callable[[str], None]
GROUP_SUFFIX = ".group"


class FolderInUse(StackFailure):
    """A stack is running, or starting, in the folder."""


@dataclass(frozen=True)
class Options:
    """Whether MiniStack enforces IAM policies, parameters of the template with their values, and
    what makes the build: a function that returns its folder, or raises StackFailure.
    """

    enforce_iam: bool = False
    parameters: Mapping[str, str] = field(default_factory=chosen_parameters)
    build: Callable[[], Path] = built_app


@dataclass(frozen=True)
class Stack:
    """A running stack. `api` is the app's base URL for Jira and the operations tool."""

    folder: Path
    api: str
    jira: Jira
    aws: LocalAws
    deployment: Deployment
    services: tuple[Service, ...]

    def stop(self) -> None:
        """Stops the services. Everything in the stack is lost."""
        self.aws.close()
        stop_services(self.services)


@contextmanager
def temporary_stack(options: Options | None = None, report: Report = print) -> Iterator[Stack]:
    """Starts a new stack, and removes it after the block. `report` receives each step.

    Raises StackFailure.
    """
    folder = Path(tempfile.mkdtemp(prefix="relay-"))
    try:
        with ending_in_order(), lock_of(folder) as lock:
            stack = start_stack(folder, lock, options or Options(), report)
            try:
                yield stack
            finally:
                stack.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start_stack(folder: Path, lock: TextIO, options: Options, report: Report) -> Stack:
    """Starts all services and deploys Relay. If a part fails, it stops the others.

    The services inherit the lock's file, so the folder stays locked until the last one ends. Raises
    StackFailure.
    """
    with ExitStack() as undo:
        report("Starting the embedded AWS and the Jira simulator; building …")
        embedded, jira, build = _start_side_by_side(folder, lock, options, undo)
        report("Deploying …")
        template = without_queue_policies(with_mounted_layer(build, folder))
        aws = LocalAws(embedded.endpoint)
        undo.callback(aws.close)
        deployment = deploy_relay(template, aws, jira.url, folder, options.parameters)
        undo.pop_all()
    api = base_url(embedded.endpoint)
    return Stack(folder, api, jira, aws, deployment, (embedded.service, jira.service))


def deploy_relay(
    template: Path, aws: LocalAws, jira: str, folder: Path, parameters: Mapping[str, str]
) -> Deployment:
    """Deploys the template, and makes the deployed stack work on MiniStack. Raises StackFailure."""
    deployment = deploy(template, aws, jira, folder, parameters)
    set_concurrency(aws)
    routes = create_routes(aws, deployment.resources)
    warm_up(aws, base_url(aws.endpoint), routes, deployment.functions)
    return deployment


def _start_side_by_side(
    folder: Path, lock: TextIO, options: Options, undo: ExitStack
) -> tuple[EmbeddedAws, Jira, Path]:
    keep_open = [lock.fileno()]
    # Ctrl-C may reach this thread before the pool knows a thread that it has just started, and
    # then nobody waits for that one: what it starts after the end, it stops itself.
    ended = Event()
    undo.callback(ended.set)

    def note(service: Service) -> None:
        _note(service, undo)
        if ended.is_set():
            stop_services([service])

    def embedded_aws() -> EmbeddedAws:
        aws = start_ministack(port_for("RELAY_PORT"), folder, options.enforce_iam, keep_open)
        note(aws.service)
        return aws

    def simulator() -> Jira:
        jira = start_simulator(port_for("RELAY_JIRA_PORT"), folder, keep_open)
        note(jira.service)
        return jira

    with ThreadPoolExecutor(3) as pool:
        aws, jira = pool.submit(embedded_aws), pool.submit(simulator)
        build = pool.submit(options.build)
        return aws.result(), jira.result(), build.result()


def _note(service: Service, undo: ExitStack) -> None:
    """Stops the service if the rest fails, and lets `make down` find it if this process dies."""
    undo.callback(stop_services, [service])
    service.log.with_suffix(GROUP_SUFFIX).write_text(str(service.group))


def groups_in(folder: Path) -> list[int]:
    """The process groups of the folder's stack; they may have ended."""
    return [int(path.read_text()) for path in folder.glob(f"*{GROUP_SUFFIX}")]


@contextmanager
def lock_of(folder: Path) -> Iterator[TextIO]:
    """Holds the folder's lock. Raises FolderInUse if a stack is running or starting there."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"A stack is using {folder}.") from None
        yield lock


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP unwind the block as Ctrl-C does, so that it cleans up."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
