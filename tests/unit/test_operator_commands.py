"""The commands in docs/operator.md and docs/settings.md exist, and tests run them but for a few."""

import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import dropwhile, takewhile

import pytest
import typer.main

from relay_cli.app import app
from tests.deploy.operator_stage import PAGE, steps
from tests.support.aws_command import parsed
from tests.support.template import ROOT

# The sections whose blocks tests/deploy/test_runbook.py runs, but for these commands.
RUN = [
    "Configure the `relay` command",
    "Rotate a secret",
    "Restore",
    "Remove it",
    "Existing data",
    "Dead letters",
]
NOT_RUN = {
    "aws kms rotate-key-on-demand": "the embedded AWS can't",
    "aws sqs start-message-move-task": "the embedded AWS can't",
    "aws dynamodb get-item --table-name NAME": "a look-up in the stored form, for one example key",
}
# What other modules run by the page.
ELSEWHERE = {
    "Deploy": "tests/deploy/test_readme.py",
    "Checklist for production": "tests/deploy/test_operated.py",
    "Upgrade and roll back": "tests/deploy/test_operated.py",
    "Move a workspace": "tests/deploy/test_operated.py",
}
PAGES = [PAGE, "docs/settings.md"]


def test_every_section_with_commands_is_run_or_named() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    sections = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    for section in sections:
        left = [one for one in steps(section) if not one.startswith(tuple(NOT_RUN))]
        assert not left or section in RUN or section in ELSEWHERE, section
    everything = " ".join(steps(""))
    assert all(command in everything for command in NOT_RUN)
    assert all((ROOT / path).exists() for path in ELSEWHERE.values())


def calls_of_aws(line: str) -> Iterator[str]:
    """Each `aws …` in a line of shell, also within a function or a loop."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&<>")
    lexer.whitespace_split = True
    words: Iterable[str] = dropwhile(lambda word: word != "aws", lexer)
    while found := list(takewhile(lambda word: not set(word) <= set("();|&<>"), words)):
        yield shlex.join(found)
        words = dropwhile(lambda word: word != "aws", lexer)


def aws_commands() -> list[str]:
    lines = (line for page in PAGES for line in steps("", page))
    return sorted({call for line in lines for call in calls_of_aws(line)})


@pytest.mark.parametrize("command", aws_commands())
def test_aws_has_every_command_of_its_cli(command: str) -> None:
    _, *words = shlex.split(command)
    # The value of a variable is as long as any that AWS checks.
    parsed(["v" * 36 if word.startswith("$") else word for word in words])


def test_calls_within_a_line_of_shell_are_found() -> None:
    line = 'f() { aws sqs list-queues --query "A[?b]"; }; for x in $(f); do aws kms x "$(g)"; done'
    assert [*calls_of_aws(line)] == [
        "aws sqs list-queues --query 'A[?b]'",
        "aws kms x '$(g)'",
    ]


@pytest.mark.parametrize(
    "mistyped",
    [
        "dynamodb update-tabel --table-name NAME",
        "dynamodb update-table --table-nam NAME",
        "dynamodb update-time-to-live --table-name NAME --time-to-live-specification Enable=true",
        "sqs get-queue-attributes --queue-url URL --attribute-names QueueArm",
        "kms schedule-key-deletion",
    ],
)
def test_a_mistyped_command_would_be_found(mistyped: str) -> None:
    with pytest.raises(ValueError, match=r"no |none of|Missing"):
        parsed(shlex.split(mistyped))


@pytest.mark.parametrize("page", PAGES)
def test_every_named_relay_command_exists_with_its_options(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(r"`(relay [^`]+)`", text.replace("\n", " "))
    for line in [*named, *(one for one in steps("", page) if one.startswith("relay "))]:
        command, words = typer.main.get_command(app), shlex.split(line.partition(" > ")[0])[1:]
        while words and (below := getattr(command, "commands", {})).get(words[0]):
            command = below[words.pop(0)]
        # `webhook WORKSPACE` is short for `webhook show WORKSPACE`.
        assert not words or not hasattr(command, "commands") or command.name == "webhook", line
        options = {name for one in command.params for name in one.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
