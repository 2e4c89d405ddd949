"""The processes in which the benchmarks measure Relay and its peers."""

import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from infra.bench.peer import node_command, peer
from infra.bench.wake import runtime_api
from infra.harness.subject import run_subject
from infra.local.failure import StackFailure

ECHO = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)"


def test_a_subject_receives_its_input_and_answers(tmp_path: Path) -> None:
    given = {"obj": {"a": [1, 2]}, "indent": None}
    log = tmp_path / "log"
    assert json.loads(run_subject("json:dumps", given, os.environ, log)) == {"a": [1, 2]}


def test_a_failing_subject_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(StackFailure, match=r"json:loads failed\.(.|\n)*JSONDecodeError"):
        run_subject("json:loads", {"s": "{"}, os.environ, tmp_path / "log")


def test_a_peer_answers_line_by_line() -> None:
    with peer([sys.executable, "-c", ECHO]) as echo:
        assert echo.ask(number=1) == {"number": 1}
        assert echo.ask(text="ü") == {"text": "ü"}


def test_a_peer_that_exits_is_an_error() -> None:
    with (
        peer([sys.executable, "-c", "input()"]) as silent,
        pytest.raises(RuntimeError, match="ended without an answer"),
    ):
        silent.ask()


def test_a_machine_without_node_has_no_npm_peers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackFailure, match=r"no Node\.js"):
        node_command("callback.cjs", tmp_path)


def test_a_function_is_ready_when_it_asks_for_an_event() -> None:
    with runtime_api() as api:
        url = f"http://{api.address}/2018-06-01/runtime"
        with pytest.raises(RuntimeError, match="was not ready after 0 s"):
            api.wait(0.01)
        # It has no event for it, so there is no answer.
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/invocation/next", timeout=0.2, trust_env=False)
        api.wait(5)


def test_a_function_that_fails_to_start_reports_why() -> None:
    with runtime_api() as api:
        url = f"http://{api.address}/2018-06-01/runtime/init/error"
        httpx.post(url, content=b"no such module", trust_env=False)
        with pytest.raises(RuntimeError, match="no such module"):
            api.wait(5)
