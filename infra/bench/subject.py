"""What is measured runs in a new process each, that has loaded nothing before.

`python -m infra.bench.subject FD MODULE:FUNCTION` reads what the function is given from its
standard input, as JSON, and writes lines of JSON to FD: `{"told": "…"}`, at last `{"measured": …}`.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.local.failure import with_log
from infra.local.paths import ROOT

Tell = Callable[[str], None]


def run_subject(
    subject: str, given: Mapping[str, Any], environment: Mapping[str, str], log: Path, tell: Tell
) -> Any:
    """What the subject (`module:function`) returned; its output, the functions' log, is in `log`.

    Raises StackFailure with the log's end where it failed.
    """
    reading, writing = os.pipe()
    with log.open("ab") as output, os.fdopen(reading) as lines:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
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
            measured = _heard(process, given, lines, tell)
        finally:
            process.kill()
            process.wait()
    if measured is None:
        raise with_log(f"{subject} failed.", log)
    return measured


def _heard(
    process: subprocess.Popen[bytes], given: Mapping[str, Any], lines: Any, tell: Tell
) -> Any:
    if process.stdin:
        process.stdin.write(json.dumps(given).encode())
        process.stdin.close()
    for line in lines:
        said = json.loads(line)
        if "measured" in said:
            return said["measured"]
        tell(said["told"])
    return None


def _main(descriptor: int, subject: str) -> None:
    given = json.load(sys.stdin)
    module, _, name = subject.partition(":")
    measure = getattr(importlib.import_module(module), name)
    with os.fdopen(descriptor, "w", buffering=1) as said:

        def tell(text: str) -> None:
            said.write(json.dumps({"told": text}) + "\n")

        measured = measure(tell, **given)
        said.write(json.dumps({"measured": measured}) + "\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
