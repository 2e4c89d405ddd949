"""Another's code as a process: asked by a line of JSON, it answers with one."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


class Peer:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **question: Any) -> Any:
        """Raises RuntimeError where it gives no answer."""
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            raise RuntimeError("The peer has no pipes.")
        asked.write(json.dumps(question) + "\n")
        asked.flush()
        line = answers.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended without an answer.")
        return json.loads(line)


@contextmanager
def peer(command: Sequence[str], folder: str | None = None) -> Iterator[Peer]:
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.communicate()
