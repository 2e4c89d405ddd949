"""The `relay` command in a process of its own, on a terminal that the test types on."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.integration.cli_stage import Cli

_CLI = Path(__file__).parents[2] / "cli"


class Terminal:
    """A terminal of 80 columns on which the command runs. `shown` is everything that it shows."""

    def __init__(self, cli: Cli, *arguments: str) -> None:
        self.shown = ""
        self._master, slave = pty.openpty()
        environment = {
            "RELAY_URL": cli.url,
            "RELAY_KEY": cli.key,
            "HOME": os.environ["HOME"],
            "PYTHONPATH": str(_CLI),
            "COLUMNS": "80",
            "TERM": "dumb",
        }
        # Without a controlling terminal, a secret is read from stdin.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "relay_cli", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def wait_for(self, words: str) -> None:
        """Reads until the command shows these words at the end."""
        while not self.shown.endswith(words):
            assert self._read(), self.shown

    def enter(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def end(self) -> int:
        """Reads the rest and returns the exit code."""
        while self._read():
            pass
        os.close(self._master)
        return self._process.wait()

    def _read(self) -> str:
        """What the command shows next; empty at its end."""
        read = b""
        # Linux reports the end of the other side as an error.
        with suppress(OSError):
            read = os.read(self._master, 4096)
        text = read.decode().replace("\r\n", "\n")
        self.shown += text
        return text
