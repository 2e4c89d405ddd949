"""`make bench-wake`: how long a function takes from nothing to its first event."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.bench.environments import PYTHON
from infra.bench.figures import figure, ratio
from infra.bench.result import Bars, Result, Table, at_most, bar, in_times, number, spread
from infra.bench.runtime_api import RuntimeApi, runtime_api
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import variables_of
from infra.lambdas.template import functions, routes
from infra.local.build import LAYER, built_app
from infra.local.environment import aws_environment, bare_environment

YARDSTICK = "boto3 and one DynamoDB client"
LIBRARIES = "what an action is made of: boto3's two clients, Powertools, pydantic, PyJWT"
SUBMITTER = "submitter"
_PEERS = Path(__file__).parent / "peers"
_ALONE = {YARDSTICK: _PEERS / "boto3_alone", LIBRARIES: _PEERS / "libraries_alone"}
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Start:
    """Milliseconds, of the clock and of all cores."""

    wall: float
    cpu: float


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    stand.screen.say("wake: sam build …")
    build = built_app()
    folders = _ALONE | {name: build / _folder(name) for name in sorted(functions())}
    stand.screen.say(f"wake: {sizes.wakes} starts of each of {len(folders)} functions, by turns …")
    starts: dict[str, list[Start]] = {name: [] for name in folders}
    with runtime_api() as api:
        # The first start of each brings its files into memory; it does not count.
        for turn in range(sizes.wakes + 1):
            for name, folder in folders.items():
                environment = _environment(name, folder, build, api, stand)
                start = _started(folder, environment, api)
                if turn:
                    starts[name].append(start)
            stand.screen.say(f"wake: turn {turn} of {sizes.wakes}")
    return _result(starts)


def _folder(function: str) -> str:
    """The build names it by its logical id."""
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def _environment(
    name: str, folder: Path, build: Path, api: RuntimeApi, stand: Stand
) -> Mapping[str, str]:
    """The variables that the template gives it, and those of Lambda."""
    known = stand.stage.environment
    own = {} if name in _ALONE else {one: known.get(one, "") for one in variables_of(name)}
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


def _started(folder: Path, environment: Mapping[str, str], api: RuntimeApi) -> Start:
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        [str(PYTHON), "-m", "awslambdaric", "handler.handler"],
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        api.wait(_START_SECONDS)
        wall = time.perf_counter() - began
    finally:
        os.kill(process.pid, signal.SIGKILL)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = -signal.SIGKILL
    return Start(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def _result(starts: dict[str, list[Start]]) -> Result:
    wall = {name: [one.wall for one in found] for name, found in starts.items()}
    cpu = {name: [one.cpu for one in found] for name, found in starts.items()}
    times = {name: ratio(found, wall[YARDSTICK]) for name, found in wall.items()}
    own = sorted(functions(), key=lambda name: -times[name].median)
    rows = [
        [
            name,
            spread(figure(wall[name])),
            in_times(times[name]),
            spread(figure(cpu[name])),
            in_times(ratio(cpu[name], cpu[YARDSTICK])),
        ]
        for name in (*_ALONE, *own)
    ]
    columns = ("function", "ms", "to the yardstick", "CPU ms", "to the yardstick's")
    jira = [name for name in own if _is_called_by_jira(name)]
    slowest = max((times[name] for name in jira), key=lambda one: one.median)
    libraries = {name: ratio(wall[name], wall[LIBRARIES]) for name in jira if name != "lifecycle"}
    own_part = max(libraries.values(), key=lambda one: one.median)
    yardstick = number(figure(wall[YARDSTICK]).median)
    return Result(
        "wake",
        "Cold starts",
        "Each function as `sam build` makes it, compiled, for this machine's Python, in Lambda's"
        " own runtime client (awslambdaric): from the start of the process to its first request"
        f" for an event. The yardstick, {YARDSTICK}, uses the same layer and takes {yardstick} ms.",
        [Table("", columns, rows)],
        [
            at_most("the slowest function that Jira calls", slowest, 1.15),
            at_most("the slowest action, to its libraries alone", own_part, 1.15),
            at_most("the submitter", times[SUBMITTER], 1.4),
        ],
        [
            Bars(
                "wake",
                "From start to the first event",
                "ms",
                [bar(name, figure(wall[name]), name not in _ALONE) for name in (*_ALONE, *own)],
            )
        ],
        notes=[
            "AWS adds what this can't show: fetching and mounting the layer, and a share of a core"
            " by the function's memory. It starts with a whole core's burst."
        ],
        facts={f"{name} init ms": figure(found).median for name, found in wall.items()},
    )


def _is_called_by_jira(function: str) -> bool:
    """The lifecycle and the actions; the rest of the paths is the operations tool's, or Forge's."""
    paths = [path for _, path in routes(function)]
    return bool(paths) and not any(
        path.startswith(("/v1/", "/forge/")) or path == "*" for path in paths
    )
