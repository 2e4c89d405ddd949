"""What a snapshot of an initialized function contains, in a new process as Lambda starts it."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.aws import Aws
from tests.support.template import ROOT, functions

PUBLISHED = [name for name, properties in functions().items() if "AutoPublishAlias" in properties]
SNAPSHOT = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
# Loads the function, and prints which of its own lines read a clock or drew from `random`, which
# sockets were connected, and which modules are loaded.
_LOADED = """
import json, random, sys, time
from importlib import import_module
folder = sys.argv[1]
sys.path.insert(0, folder)
own, lines, sockets = (folder, sys.argv[2]), [], []
clocks = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "now", "utcnow", "today"}

def note(frame, event, function):
    if event != "c_call" or not frame.f_code.co_filename.startswith(own):
        return
    owner = getattr(function, "__self__", None)
    if function.__name__ in clocks or isinstance(owner, random.Random):
        lines.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")

sys.addaudithook(lambda event, given: sockets.append(event) if event == "socket.connect" else None)
sys.setprofile(note)
import_module("handler")
sys.setprofile(None)
print(json.dumps({"lines": lines, "sockets": sockets, "modules": list(sys.modules)}))
"""
_RESTORED = """
import random, sys
from importlib import import_module
sys.path.insert(0, sys.argv[1])
import_module("handler")
import snapshot_restore_py
random.seed(1)
first = random.random()
random.seed(1)
for hook, given, named in snapshot_restore_py.get_after_restore():
    hook(*given, **named)
print(first != random.random())
"""


def _run(aws: Aws, code: str, function: str, **variables: str) -> str:
    common = {"PYTHONPATH": str(ROOT / "shared"), "AWS_LAMBDA_FUNCTION_NAME": function}
    ended = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "functions" / function), str(ROOT / "shared")],
        env={**os.environ, **aws.environment, **common, **variables},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return ended.stdout


@pytest.mark.parametrize("function", PUBLISHED)
def test_a_snapshot_holds_no_time_no_connection_and_no_secret(aws: Aws, function: str) -> None:
    loaded = json.loads(_run(aws, _LOADED, function, **SNAPSHOT))
    assert loaded["lines"] == []
    # Without a connection, KMS has decrypted nothing.
    assert loaded["sockets"] == []


@pytest.mark.parametrize("function", PUBLISHED)
def test_processes_of_one_snapshot_do_not_wait_equally_long(aws: Aws, function: str) -> None:
    assert _run(aws, _RESTORED, function, **SNAPSHOT) == "True\n"


def test_a_snapshot_holds_the_code_for_forges_tokens(aws: Aws) -> None:
    with_it, without = (
        set(json.loads(_run(aws, _LOADED, "fetch_workspaces", **variables))["modules"])
        for variables in (SNAPSHOT, {})
    )
    assert {"httpx", "relay.identity.forge_token"} <= with_it - without


@pytest.mark.parametrize("function", PUBLISHED)
def test_a_function_without_a_snapshot_does_without_the_runtimes_package(
    aws: Aws, function: str
) -> None:
    assert "snapshot_restore_py" not in json.loads(_run(aws, _LOADED, function))["modules"]
