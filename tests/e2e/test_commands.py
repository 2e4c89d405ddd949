"""`make up` and `make down`, with a folder of their own, beside the stack of the other tests."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.local.feed import split
from infra.local.paths import ROOT
from infra.local.relay_client import RelayClient
from infra.local.stack import Stack
from tests.e2e.states import incidents
from tests.support.entities import incident

SECONDS = 120


def run(command: str, state: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RELAY_STATE": str(state), "PYTHONPATH": f"{ROOT}/shared:{ROOT}"}
    return subprocess.run(
        [sys.executable, "-m", f"infra.local.{command}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )


@pytest.mark.usefixtures("stack")
def test_up_and_down_beside_another_stack(tmp_path: Path) -> None:
    try:
        first = run("up", tmp_path)
        second = run("up", tmp_path)
        check_stack(tmp_path / "stack.json", first.stdout)
        assert "up already" in second.stdout
    finally:
        down = run("down", tmp_path)

    assert "down" in down.stdout
    assert list(tmp_path.iterdir()) == []
    assert "Nothing is up" in run("down", tmp_path).stdout


def check_stack(file: Path, said: str) -> None:
    """The file is for its owner alone, and all that it takes to submit and to look."""
    document = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {"api", "jira", "apiKey", "appKey", "installKey", "sites", "aws"} <= document.keys()
    assert document["installKey"]["pem"].startswith("-----BEGIN PRIVATE KEY-----")
    assert document["api"] in said
    [site] = document["sites"]
    assert {"clientKey", "sharedSecret", "baseUrl"} <= site.keys()
    assert httpx.get(site["baseUrl"], timeout=10).status_code == httpx.codes.OK

    [submission] = split(incidents(incident()))
    with RelayClient(document["api"], document["apiKey"]) as relay:
        assert relay.submit(document["workspace"], submission.body())["accepted"] == 1


def test_the_other_stack_is_still_there(stack: Stack) -> None:
    assert httpx.get(f"{stack.api}/health", timeout=10).json() == {"status": "ok"}
