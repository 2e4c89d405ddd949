"""What `make api-key` refuses before it asks AWS for anything."""

import subprocess
import sys

import pytest

from tests.support.template import ROOT


def refusal(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "infra.api_key", "--stack", "relay", *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": "shared:cli:.", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert not ended.stdout
    return ended.stderr


@pytest.mark.parametrize("arguments", [(), ("--workspace", "operations", "--all-workspaces")])
def test_a_keys_workspaces_are_given_once_by_makes_variables(arguments: tuple[str, ...]) -> None:
    said = refusal(*arguments)

    assert "WORKSPACE=id or ALL_WORKSPACES=1" in said
    assert "usage" not in said


def test_no_key_is_created_for_an_invalid_workspace_id() -> None:
    assert "'my team' is not a workspace id" in refusal("--workspace", "my team")


@pytest.mark.parametrize(("value", "all_of_them"), [("1", True), ("0", False), ("no", False)])
def test_only_1_requests_a_key_for_all_workspaces(value: str, all_of_them: bool) -> None:
    printed = subprocess.run(
        ["/usr/bin/env", "make", "--just-print", "api-key", f"ALL_WORKSPACES={value}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert ("--all-workspaces" in printed) == all_of_them
