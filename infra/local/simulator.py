"""The Jira simulator as a service of the local stack."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.environment import bare_environment
from infra.local.paths import ROOT
from infra.local.ports import HOST
from infra.local.processes import Service, start_service

START_SECONDS = 30.0


@dataclass(frozen=True)
class Jira:
    """A running simulator: its URL, and the private key (PEM) with which it signs installs."""

    service: Service
    url: str
    kid: str
    pem: str


def start_simulator(port: int, folder: Path, keep_open: Sequence[int]) -> Jira:
    """Starts the simulator and waits for the file that it writes once it is ready.

    The process inherits the file descriptors in `keep_open`. Raises StackFailure.
    """
    ready_file = folder / "jira.json"
    command = [sys.executable, "-m", "infra.jira_simulator", "--host", HOST, "--port", str(port)]
    command += ["--ready-file", str(ready_file)]
    environment = bare_environment(PYTHONPATH=f"{ROOT / 'shared'}:{ROOT}", PYTHONUNBUFFERED="1")
    log = folder / "jira.log"
    service = start_service("The Jira simulator", command, environment, log, keep_open)
    service.wait_until(ready_file.exists, START_SECONDS)
    ready = json.loads(ready_file.read_text())
    return Jira(service, ready["url"], ready["kid"], ready["pem"])
