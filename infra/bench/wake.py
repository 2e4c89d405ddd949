"""`make bench-wake`: the time from the start of a function's process to its first event."""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from infra.bench.peer import PEERS, PYTHON, node_command, write_app
from infra.bench.result import Figure, Result, Table, Target, at_most, figure, ratio
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import Seconds, by_turns
from infra.harness.serving import Quiet, serving
from infra.lambdas.runtime import variables_of
from infra.lambdas.template import functions, routes
from infra.local.build import LAYER, built_app
from infra.local.environment import aws_environment, bare_environment
from infra.local.failure import StackFailure
from infra.local.paths import ROOT

YARDSTICK = "boto3 and one DynamoDB client"
LIBRARIES = "an action's libraries: boto3 with two clients, Powertools, pydantic, PyJWT"
PEER = "atlassian-connect-express with its DynamoDB store, behind @codegenie/serverless-express"
LIFECYCLE, PAGE, SUBMITTER = "lifecycle", "page", "submitter"
_ALONE = {YARDSTICK: PEERS / "boto3_alone", LIBRARIES: PEERS / "libraries_alone"}
_START_SECONDS = 30.0
_RUNTIME_CLIENT = (str(PYTHON), "-m", "awslambdaric", "handler.handler")


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures the start of every function, compared with its libraries alone, and with the peer
    of npm, which is optional."""
    stand.screen.say("wake: sam build …")
    build = built_app()
    # The build names a function by its logical id.
    built = {name: name.title().replace("_", "") + "Function" for name in sorted(functions())}
    folders = _ALONE | {name: build / folder for name, folder in built.items()}
    node, missing = list[str](), ""
    try:
        stand.screen.say("wake: the packages of npm …")
        node = node_command("function.cjs")
    except StackFailure as error:
        missing = str(error)
    stand.screen.say(f"wake: {sizes.wakes} starts of each of {len(folders)} functions, by turns …")
    with runtime_api() as api, tempfile.TemporaryDirectory(prefix="relay-bench-") as app:
        ways = {}
        for name, folder in folders.items():
            environment = _environment(name, folder, build, api, stand.stage.environment)
            ways[name] = partial(_start, _RUNTIME_CLIENT, folder, environment, api)
        if node:
            folder = Path(app)
            write_app(folder)
            environment = _environment(PEER, folder, build, api, stand.stage.environment)
            ways[PEER] = partial(_start, node, folder, environment, api)
        # The first start of each function caches its files, so it does not count.
        return _result(by_turns(ways, sizes.wakes), missing)


def _environment(
    name: str, folder: Path, build: Path, api: "RuntimeApi", known: dict[str, str]
) -> dict[str, str]:
    """The template's variables of the function, and Lambda's own."""
    variables = variables_of(name) if name in functions() else ()
    own = {one: known.get(one, "") for one in variables}
    return bare_environment(
        **aws_environment(known["AWS_ENDPOINT_URL"])
        | own
        | {name: known[name] for name in ("APP_KEY", "BASE_URL", "POWERTOOLS_LOG_LEVEL")}
        | {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_NAME": folder.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "LAMBDA_TASK_ROOT": str(folder),
            "PYTHONPATH": f"{folder}:{build / LAYER / 'python'}",
            "_HANDLER": "handler.handler",
        }
    )


def _start(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    api: "RuntimeApi",
    _: int,
) -> Seconds:
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - a fixed command
        command,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        api.wait(_START_SECONDS)
        wall = time.perf_counter() - started
    finally:
        os.kill(process.pid, signal.SIGKILL)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = -signal.SIGKILL
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime}


@dataclass(frozen=True)
class RuntimeApi:
    """Lambda's Runtime API for starting functions; `address` is AWS_LAMBDA_RUNTIME_API.

    `results` receives an empty string when a function is ready, or the error of its start.
    """

    address: str
    results: "queue.Queue[str]"

    def wait(self, seconds: float) -> None:
        """Waits until the function requests an event. Raises RuntimeError if its start fails."""
        try:
            error = self.results.get(timeout=seconds)
        except queue.Empty:
            raise RuntimeError(f"The function was not ready after {seconds:.0f} s.") from None
        if error:
            raise RuntimeError(f"The function failed to start: {error}")


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """Serves the Runtime API on the loopback interface."""
    results: queue.Queue[str] = queue.Queue()
    ending = threading.Event()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            results.put("")
            # There is no event: the function waits, as between invocations.
            ending.wait()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            results.put(body.decode("utf-8", "replace"))
            self.send_response(202)
            self.end_headers()

    with serving(Handler) as address:
        try:
            yield RuntimeApi(address, results)
        finally:
            ending.set()


def _result(starts: dict[str, list[Seconds]], missing: str) -> Result:
    wall = {name: [one["wall"] * 1000 for one in found] for name, found in starts.items()}
    cpu = {name: [one["cpu"] * 1000 for one in found] for name, found in starts.items()}
    times = {name: ratio(found, wall[YARDSTICK]) for name, found in wall.items()}
    own = sorted(functions(), key=lambda name: -times[name].median)
    rows = [
        [
            name,
            str(figure(wall[name])),
            times[name].times,
            str(figure(cpu[name])),
            ratio(cpu[name], cpu[YARDSTICK]).times,
        ]
        if name in starts
        else [name, f"not measured: {missing}", "", "", ""]
        for name in (*_ALONE, PEER, *own)
    ]
    columns = ("function", "ms", "to the yardstick", "CPU ms", "to the yardstick's")
    return Result([Table("", columns, rows)], _targets(wall))


def _targets(wall: dict[str, list[float]]) -> list[Target]:
    actions = actions_of_jira()

    def slowest(names: Iterable[str], other: str) -> Figure:
        figures = (ratio(wall[name], wall[other]) for name in names)
        return max(figures, key=lambda one: one.median)

    to_peer = slowest(actions, PEER) if PEER in wall else None
    called = [*actions, LIFECYCLE, PAGE]
    return [
        at_most("the slowest action, to the framework", to_peer, 0.8),
        at_most("the slowest action, to its libraries alone", slowest(actions, LIBRARIES), 1.15),
        at_most("the lifecycle, to an action's libraries", slowest([LIFECYCLE], LIBRARIES), 1.15),
        at_most("the slowest function that Jira calls", slowest(called, YARDSTICK), 1.15),
        at_most("the submitter", slowest([SUBMITTER], YARDSTICK), 1.4),
    ]


def actions_of_jira() -> list[str]:
    """The functions of the descriptor's actions: Jira calls them while a user waits."""
    modules = json.loads((ROOT / "atlassian-connect.json").read_text("utf-8"))["modules"]
    actions = [
        one
        for module in modules.values()
        if "actions" in module
        for one in module["actions"].values()
    ]
    paths = {urlsplit(one.get("templateUrl") or one["url"]).path for one in actions}
    return [name for name in functions() if paths & {path for _, path in routes(name)}]
