"""What a cold start does to the garbage collector, in a new process as Lambda starts it."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.aws import Aws
from tests.support.template import ROOT

_LOADED = """
import gc, json, sys
from importlib import import_module
sys.path.insert(0, sys.argv[1])
import_module("handler")
print(json.dumps([gc.isenabled(), gc.get_freeze_count() > 0]))
"""


def _collects(aws: Aws, function: str, **variables: str) -> list[bool]:
    """For a loaded function: whether it collects garbage, and whether what it loaded is exempt."""
    environment = {**os.environ, **aws.environment, "PYTHONPATH": str(ROOT / "shared")}
    command = [sys.executable, "-c", _LOADED, str(ROOT / "functions" / function)]
    ended = subprocess.run(
        command, env=environment | variables, stdout=subprocess.PIPE, check=True, text=True
    )
    found: list[bool] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("function", ["descriptor", "submitter"])
def test_a_cold_start_runs_no_garbage_collection(aws: Aws, function: str) -> None:
    assert _collects(aws, function, AWS_LAMBDA_FUNCTION_NAME=function) == [True, True]


def test_outside_lambda_the_collector_is_unchanged(aws: Aws) -> None:
    assert _collects(aws, "descriptor") == [True, False]
