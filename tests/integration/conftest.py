"""Relay with the Jira simulator, and the command for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.catching_up_stage import forget_calls, put_link
from tests.integration.cli_stage import Cli, Stage, empty_home
from tests.integration.relay_stage import JiraSite, Link, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator


@pytest.fixture(autouse=True)
def emulated_aws_alone(credentials: None) -> None:
    """Emulate AWS for tests without stores, too."""


@pytest.fixture
def relay(start: Start, simulator: Simulator) -> Relay:
    return start("payments", "search", simulator=simulator)


@pytest.fixture
def link(relay: Relay, simulator: Simulator) -> Link:
    def linked(*workspaces: str) -> JiraSite:
        site = install_from(relay, simulator)
        for workspace in workspaces or ("payments",):
            put_link(relay, site, workspace)
        relay.run_replays()
        forget_calls(site)
        return site

    return linked


@pytest.fixture
def site(link: Link) -> JiraSite:
    return link()


@pytest.fixture
def stage(
    start: Start,
    simulator: Simulator,
    api_key: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Stage:
    """What the command is tested with."""
    empty_home(monkeypatch, tmp_path)
    relay = start(simulator=simulator)
    return Stage(relay, install_from(relay, simulator), Cli(relay.gateway.url, api_key))


@pytest.fixture
def operations(stage: Stage) -> Stage:
    """What the commands about the sources of a workspace are tested with."""
    stage.relay.put_workspace("operations")
    return stage


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """The command with an unreachable Relay."""
    empty_home(monkeypatch, tmp_path)
    return Cli("http://127.0.0.1:9", "relay_0123456789abcdef_" + "x" * 43)


@pytest.fixture
def export_file(tmp_path: Path) -> Callable[[bytes], str]:
    """Writes an export, and returns its path."""

    def write(content: bytes) -> str:
        path = tmp_path / "export.jsonl"
        path.write_bytes(content)
        return str(path)

    return write
