"""The secret with which a tool signs its calls. It is never an argument: others could see it."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import typer

from relay_cli.failure import Misuse
from relay_cli.files import read_text

VARIABLE = "RELAY_SOURCE_SECRET"
# 44 characters in hexadecimal, which are valid base64, too: some tools require it.
_RANDOM_BYTES = 22

SecretFileOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|-",
        help=f"A file with the secret with which the tool signs, also as {VARIABLE}.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Secret:
    """`shown` stands for it in the steps to take in the tool.

    It is given by the user, or made here for the user to give to the tool, or holds the place of
    one that the tool makes later.
    """

    value: str = field(repr=False)
    origin: Literal["given", "made", "placeholder"]
    shown: str = field(repr=False)


def given_secret(file: str | None) -> Secret | None:
    """The secret in the file, else in the environment; None without one. Raises Misuse."""
    if file is None and not os.environ.get(VARIABLE):
        return None
    where = VARIABLE if file is None else "standard input" if file == "-" else file
    value = (os.environ[VARIABLE] if file is None else read_text(file)).strip()
    if not value:
        raise Misuse(f"{where} holds no secret.")
    if not value.isprintable():
        raise Misuse(f"The secret in {where} has characters that can't be printed.")
    return Secret(value, "given", f"<the secret in {where}>")


def secret_for(tool: Mapping[str, Any], given: Secret | None, sign: bool) -> Secret | None:
    """The secret to make the source of this kind with; None for one whose calls are not signed.

    `sign` asks for one where the tool leaves the choice. Raises Misuse if the tool can't sign.
    """
    title, signing = tool["title"], tool["signing"]
    if signing == "none" and (given or sign):
        raise Misuse(f"{title} does not sign its calls, so the source can't have a secret.")
    if given:
        return given
    made = secrets.token_hex(_RANDOM_BYTES)
    if signing == "tool":
        return Secret(made, "placeholder", f"<the secret that {title} shows>")
    if signing == "user" or sign:
        return Secret(made, "made", made)
    return None
