"""docs/session.md, replayed: every command prints on a new stack what the document shows.

`RELAY_RECORD=1` writes the commands' current output into the document.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from infra.local.paths import ROOT
from relay_cli.tables import TABLES
from tests.e2e.test_commands import run as run_stack_command
from tests.support.own_stack import PYTHONPATH

SESSION = ROOT / "docs" / "session.md"
RECORDING = "RELAY_RECORD" in os.environ
SECONDS = 60.0
# The folder that the session shows.
FOLDER = "/home/me/relay"

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Their output may still change, and repeating them changes nothing.
_ASKING = ("doctor", "list", "show", "status")
_UNSETTLED = ("owed", "not yet")
_VOLATILE = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"relay_[0-9a-f]{16}_"), "relay_KEY_"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z|\+00:00)"), "TIME"),
    (re.compile(r"\((now|\d+ \w+ ago)\)"), "(AGE)"),
)


@dataclass(frozen=True)
class Step:
    """A command line and its output."""

    command: str
    output: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)

    @property
    def asks(self) -> bool:
        return self.words[0] == "relay" and any(word in _ASKING for word in self.words[1:3])

    @property
    def text(self) -> str:
        return f"$ {self.command}\n{self.output}"


def steps_of(block: str) -> Iterator[Step]:
    for part in block.removeprefix("$ ").split("\n$ "):
        command, _, output = part.partition("\n")
        yield Step(command, output if output.endswith("\n") or not output else f"{output}\n")


def normalized(output: str) -> str:
    """The output without what differs from run to run, and without the column widths that depend on
    it.
    """
    for pattern, name in _VOLATILE:
        output = pattern.sub(name, output)
    return "\n".join(" ".join(line.split()) for line in output.splitlines())


@dataclass
class Terminal:
    """A folder in which `make up` was run."""

    folder: Path
    code: int = 0

    def run(self, step: Step) -> str:
        if step.words[0] == "cat":
            (self.folder / step.words[1]).write_text(step.output)
            return step.output
        if step.command == "echo $?":
            return f"{self.code}\n"
        return self.relay(*step.words[1:])

    def relay(self, *arguments: str) -> str:
        """What a user sees: both outputs in one."""
        done = subprocess.run(
            [sys.executable, "-m", "relay_cli", *arguments],
            cwd=self.folder,
            env={
                "HOME": str(self.folder),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": PYTHONPATH,
                "PYTHONUTF8": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        self.code = done.returncode
        return done.stdout.replace(str(self.folder), FOLDER)

    def settled(self, step: Step) -> str:
        """The final output: the document's or, for a recording, one that no longer changes."""
        deadline = time.monotonic() + SECONDS
        while True:
            said = self.run(step)
            done = not any(word in said for word in _UNSETTLED)
            if not RECORDING:
                done = normalized(said) == normalized(step.output)
            if done or not step.asks or time.monotonic() > deadline:
                return said
            time.sleep(0.5)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    state = tmp_path / ".relay"
    state.mkdir()
    try:
        run_stack_command("up", state)
        yield Terminal(tmp_path)
    finally:
        run_stack_command("down", state)


def test_the_recorded_session_matches_the_commands_output(terminal: Terminal) -> None:
    document = SESSION.read_text("utf-8")
    for block in _BLOCK.findall(document):
        said = []
        for step in steps_of(block):
            output = terminal.settled(step)
            if not RECORDING:
                assert normalized(output) == normalized(step.output), step.command
            said.append(replace(step, output=output))
        document = document.replace(block, "".join(step.text for step in said))
    if RECORDING:
        SESSION.write_text(document, "utf-8")

    # With the stack's name it reads CloudFormation's parameters and outputs, too.
    findings = json.loads(terminal.relay("doctor", "--stack", "relay", "--json"))
    checks = {finding["check"]: finding["level"] for finding in findings["findings"]}
    assert checks["install keys"] == checks["queue submissions"] == "ok"
    assert {checks[f"table {table.name}"] for table in TABLES} == {"ok"}
    key = json.loads((terminal.folder / ".relay" / "stack.json").read_text())["apiKey"]
    assert key not in document
