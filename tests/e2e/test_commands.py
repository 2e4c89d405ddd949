"""`make up` and `make down` in their own folder, beside the stack of the other tests."""

import json
import os
import signal
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
from tests.support.own_stack import PYTHONPATH

SECONDS = 120


def run(command: str, state: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RELAY_STATE": str(state), "PYTHONPATH": PYTHONPATH}
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
def test_a_stack_starts_and_stops_beside_another(tmp_path: Path) -> None:
    try:
        first = run("up", tmp_path)
        second = run("up", tmp_path)
        check_stack(tmp_path / "stack.json", first.stdout)
        assert "already up" in second.stdout
    finally:
        down = run("down", tmp_path)

    assert "down" in down.stdout
    assert list(tmp_path.iterdir()) == []
    assert "Nothing is up" in run("down", tmp_path).stdout


@pytest.mark.usefixtures("stack")
def test_a_stack_that_answers_slowly_is_left_running(tmp_path: Path) -> None:
    try:
        run("up", tmp_path)
        before = (tmp_path / "stack.json").read_text()
        [simulator] = (int(one.read_text()) for one in (tmp_path / "stack").glob("jira.group"))
        os.killpg(simulator, signal.SIGSTOP)
        try:
            with pytest.raises(subprocess.CalledProcessError) as refused:
                run("up", tmp_path)
        finally:
            os.killpg(simulator, signal.SIGCONT)
        assert "did not answer within 5 seconds" in refused.value.stderr
        assert "already up" in run("up", tmp_path).stdout
        assert (tmp_path / "stack.json").read_text() == before
    finally:
        run("down", tmp_path)


@pytest.mark.usefixtures("stack")
def test_a_stack_with_a_stopped_part_is_restarted(tmp_path: Path) -> None:
    try:
        run("up", tmp_path)
        before = json.loads((tmp_path / "stack.json").read_text())
        simulator = (tmp_path / "stack").glob("jira.group")
        for group in simulator:
            os.killpg(int(group.read_text()), signal.SIGKILL)
        again = run("up", tmp_path)
        assert "A part of the stack has ended." in again.stdout
        check_stack(tmp_path / "stack.json", again.stdout)
        assert json.loads((tmp_path / "stack.json").read_text())["apiKey"] != before["apiKey"]
    finally:
        run("down", tmp_path)


def test_ctrl_c_stops_it_with_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-m", "infra.local.up"],
        cwd=ROOT,
        env={**os.environ, "RELAY_STATE": str(tmp_path), "PYTHONPATH": PYTHONPATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert starting.stdout
        assert "Starting" in starting.stdout.readline()
        starting.send_signal(signal.SIGINT)
        _, said = starting.communicate(timeout=SECONDS)

        assert (starting.returncode, said) == (130, "Stopped.\n")
        assert not (tmp_path / "stack.json").exists()
    finally:
        down = run("down", tmp_path)
    assert "Nothing is up" in down.stdout


def check_stack(file: Path, said: str) -> None:
    """The file is readable by its owner only, and has all that submitting and inspecting needs."""
    document = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {"api", "jira", "apiKey", "appKey", "installKey", "sites", "aws"} <= document.keys()
    assert document["installKey"]["pem"].startswith("-----BEGIN PRIVATE KEY-----")
    variables = file.with_suffix(".env")
    assert stat.S_IMODE(variables.stat().st_mode) == 0o600
    assert f"API={document['api']}\nKEY={document['apiKey']}\n" in variables.read_text()
    assert document["api"] in said
    [site] = document["sites"]
    assert {"clientKey", "sharedSecret", "baseUrl"} <= site.keys()
    assert httpx.get(site["baseUrl"], timeout=10).status_code == httpx.codes.OK

    [submission] = split(incidents(incident()))
    with RelayClient(document["api"], document["apiKey"]) as relay:
        assert relay.submit(document["workspace"], submission.body())["accepted"] == 1


def test_the_other_stack_is_still_running(stack: Stack) -> None:
    assert httpx.get(f"{stack.api}/health", timeout=10).json() == {"status": "ok"}
