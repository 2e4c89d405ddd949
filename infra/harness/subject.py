"""Runs a function in a new process without loaded modules.

`python -m infra.harness.subject FD MODULE:FUNCTION` reads the function's arguments from standard
input, as JSON, and writes its result to FD. Lambda functions log to standard output.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.failure import with_log
from infra.local.paths import ROOT


def run_subject(
    subject: str, given: Mapping[str, Any], environment: Mapping[str, str], log: Path
) -> Any:
    """Returns the result of the subject (`module:function`); its output goes to `log`.

    Raises StackFailure, with the end of the log, if it failed.
    """
    reading, writing = os.pipe()
    with log.open("ab") as output, os.fdopen(reading) as answer:
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            [sys.executable, "-m", __name__, str(writing), subject],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[writing],
        )
        os.close(writing)
        try:
            if process.stdin:
                process.stdin.write(json.dumps(given).encode())
                process.stdin.close()
            measured = answer.read()
        finally:
            process.kill()
            process.wait()
    if not measured:
        raise with_log(f"{subject} failed.", log)
    return json.loads(measured)


def _main(descriptor: int, subject: str) -> None:
    given = json.load(sys.stdin)
    module, _, name = subject.partition(":")
    measured = getattr(importlib.import_module(module), name)(**given)
    with os.fdopen(descriptor, "w") as answer:
        json.dump(measured, answer)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
