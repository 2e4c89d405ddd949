"""Runs other authors' code in a separate process, which answers each line of JSON with a line."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.environment import tool_environment
from infra.local.failure import StackFailure
from infra.local.paths import ROOT, TOOLS
from infra.local.processes import run_command

PEERS = Path(__file__).parent / "peers"
# `make` installs its packages.
PYTHON = TOOLS / "bench" / "bin" / "python"
_NODE_FOLDER = TOOLS / "bench-node"
_NODE_FILES = ("package.json", "package-lock.json")
_FETCH = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
_FETCH_SECONDS = 300


class Peer:
    """A running process that answers questions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **question: Any) -> Any:
        """Sends a question, returns the answer. Raises RuntimeError if the process ends first."""
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
    """Starts the command and kills it at the end."""
    process = subprocess.Popen(  # noqa: S603 - a fixed command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.communicate()


def node_command(script: str, folder: Path = _NODE_FOLDER) -> list[str]:
    """The command of one of npm's peers, a file of `peers`.

    Fetches missing packages; raises StackFailure if it can't.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise StackFailure("there is no Node.js with npm on this machine")
    # npm writes this file after the last package.
    complete = folder / "node_modules" / ".package-lock.json"
    lock = folder / _NODE_FILES[1]
    if not complete.exists() or lock.read_bytes() != (PEERS / lock.name).read_bytes():
        folder.mkdir(parents=True, exist_ok=True)
        for name in _NODE_FILES:
            shutil.copy(PEERS / name, folder)
        command = [npm, *_FETCH, "--prefix", str(folder)]
        log = folder / "npm.log"
        try:
            run_command("npm ci", command, tool_environment(), log, _FETCH_SECONDS)
        except StackFailure:
            # The registry's answers may contain its host, so they are only logged.
            why = f"npm could not fetch the packages; see {log.relative_to(TOOLS.parent)}"
            raise StackFailure(why) from None
    return [node, str(PEERS / script), str(folder)]


def write_app(folder: Path) -> None:
    """Writes the app's descriptor and configuration where Atlassian's framework expects them."""
    descriptor = json.loads((ROOT / "atlassian-connect.json").read_text("utf-8"))
    descriptor |= {"baseUrl": "https://relay.example.com", "key": "relay-operations"}
    (folder / "atlassian-connect.json").write_text(json.dumps(descriptor))
    (folder / "config.json").write_text("{}")
