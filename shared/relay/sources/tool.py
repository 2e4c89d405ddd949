"""What Relay knows of one kind of source, and where it finds it."""

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from relay.entities.document import DETAILS_SHOWN_MAX, details_of
from relay.errors import BadRequest, Detail
from relay.sources import tools
from relay.sources.changes import Reading
from relay.sources.payload import Payload
from relay.sources.settings import SourceSettings
from relay.sources.signatures import Call

PayloadT = TypeVar("PayloadT", bound=Payload)

# The tool makes the secret, with its webhook; or the user does, and may be free to do
# without ("optional"); or the tool can't sign.
Signing = Literal["tool", "user", "optional", "none"]

# More valid ones do not fit into a body; more invalid ones cost too much time.
ITEMS_MAX = 5_000

KINDS = tuple(sorted(module.name for module in pkgutil.iter_modules(tools.__path__)))


@dataclass(frozen=True, slots=True)
class Tool:
    """One kind of source.

    `read` returns what a payload says; it raises BadRequest, best by `wrong_shape`, for one that is
    not the tool's. `verify` raises Unauthenticated unless a call is signed with the secret; it is
    None if the tool can't sign. `signing` says who makes its secret. `setup` are the steps to
    take in the tool, in its own words; `{url}` stands for the source's address, `{secret}` for a
    secret that the user chooses. `own_settings` names the settings that only this kind has, and
    `check` raises BadRequest for invalid ones. `check_secret` raises ValueError for a secret that
    no call can be signed with.
    """

    title: str
    read: Callable[[Any, SourceSettings], Reading]
    setup: Sequence[str]
    verify: Callable[[Call, str, SourceSettings], None] | None = None
    signing: Signing = "none"
    check: Callable[[SourceSettings], None] | None = None
    own_settings: Sequence[str] = ()
    check_secret: Callable[[str], None] | None = None


def tool_of(kind: str) -> Tool:
    """The tool of one of KINDS; its code is loaded at the first use."""
    tool: Tool = import_module(f"relay.sources.tools.{kind}").TOOL
    return tool


def parsed(model: type[PayloadT], value: Any, path: str, hint: str) -> PayloadT:
    """The payload, or the part of it at `path`. Raises BadRequest with the `hint` what to mend."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise wrong_shape(hint, details_of(error, path)) from None


def parsed_each(
    model: type[PayloadT], items: Sequence[Any], path: str, hint: str
) -> tuple[list[PayloadT], list[Detail]]:
    """The valid ones of the list at `path`, and what is wrong with the others, one detail for each.

    Raises BadRequest if there are others only, or more than ITEMS_MAX in all.
    """
    if len(items) > ITEMS_MAX:
        rule = f"At most {ITEMS_MAX} of them in one call"
        raise wrong_shape(hint, [Detail(path, "too_long", rule)])
    valid: list[PayloadT] = []
    refused: list[Detail] = []
    for number, item in enumerate(items):
        try:
            valid.append(model.model_validate(item))
        except ValidationError as error:
            refused.append(details_of(error, f"{path}[{number}]")[0])
    if refused and not valid:
        raise wrong_shape(hint, refused[:DETAILS_SHOWN_MAX])
    return valid, refused


def wrong_shape(hint: str, details: Sequence[Detail] = ()) -> BadRequest:
    """The error for a payload that is not the tool's; `hint` says what to mend."""
    return BadRequest(hint, details, code="wrong_payload")
