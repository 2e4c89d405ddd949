"""Questions to the user. Only a terminal can answer them."""

import sys

import typer

from relay_cli.failure import Misuse


def is_terminal() -> bool:
    """Whether a user can answer."""
    return sys.stdin.isatty()


def confirm(question: str) -> None:
    """Ends the command unless the user agrees. Raises Misuse without a terminal."""
    if not is_terminal():
        raise Misuse(f"{question} Pass --yes to confirm.")
    typer.confirm(question, abort=True, err=True)


def ask_secret(question: str) -> str:
    """A text that is not shown while the user enters it, and is not empty."""
    answer = ""
    while not answer:
        answer = str(typer.prompt(question, hide_input=True, err=True)).strip()
    return answer
