"""The chaos run in small: what Relay loses when everything around it fails."""

import subprocess
import sys

import pytest

from infra.local.environment import bare_environment
from infra.local.paths import ROOT

SMALL = ["--entities", "160", "--rounds", "10", "--sites", "3", "--workspaces", "4"]
HARD = ["--kill-rate", "0.2", "--aws-error-rate", "0.01", "--duplicate-rate", "0.2"]


@pytest.mark.parametrize("seed", ["7"])
def test_nothing_is_lost_whatever_fails(seed: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "infra.chaos", "--seed", seed, *SMALL, *HARD],
        cwd=ROOT,
        env=bare_environment(PYTHONPATH=f"{ROOT / 'shared'}:{ROOT}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.startswith(f"Seed {seed}: ")
    listed = dict(line.split(": ", 1) for line in ended.stdout.splitlines() if "): " in line)
    thrown = {title.partition(" (")[0]: what for title, what in listed.items()}
    assert all(thrown[title] for title in ("What happened", "AWS errors", "Killed"))
    assert "links removed for good" in thrown["What happened"]
