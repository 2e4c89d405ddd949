"""A session of the `relay` command: its real output on a terminal, drawn as SVG by rich."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from infra.local.environment import bare_environment
from infra.local.paths import ROOT
from infra.local.story import Story

COLUMNS = 100
# The template without its fonts from another host.
_TEMPLATE = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def session(story: Story, commands: Sequence[Sequence[str]]) -> str:
    """The SVG of these commands, run one after the other against the story's stack."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    for number, command in enumerate(commands):
        if number:
            console.print()
        console.print(Text.assemble(("$ ", "bold green"), ("relay " + " ".join(command), "bold")))
        console.print(Text.from_ansi(_output(story, command)))
    return console.export_svg(title="relay", code_format=_TEMPLATE, unique_id="relay")


def _output(story: Story, command: Sequence[str]) -> str:
    """Everything that the command shows on a terminal."""
    master, slave = pty.openpty()
    environment = bare_environment(
        RELAY_URL=story.stack.api,
        RELAY_KEY=story.tenancy.api_key,
        PYTHONPATH=str(ROOT / "cli"),
        COLUMNS=str(COLUMNS),
        TERM="xterm-256color",
    )
    process = subprocess.Popen(  # noqa: S603 - a fixed command
        [sys.executable, "-m", "relay_cli", *command],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    # Linux reports the end of the other side as an error.
    with suppress(OSError):
        while part := os.read(master, 65536):
            shown += part
    os.close(master)
    process.wait()
    return shown.decode().replace("\r\n", "\n").rstrip()
