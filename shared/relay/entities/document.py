"""Bodies of JSON that come in: how large each may be, and what is said of a bad one."""

import codecs
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from relay.errors import BadRequest, Detail, TooLarge

# The sizes of bodies, in bytes, after inflating. A document may be a list of a thousand ids; a
# submission is bounded by the 6 MB that Lambda takes as an event.
DOCUMENT_BYTES_MAX = 256 * 1024
CONTAINERS_BYTES_MAX = 1024 * 1024
SUBMISSION_BYTES_MAX = 4 * 1024 * 1024

DETAILS_SHOWN_MAX = 10
_NAME_SHOWN_MAX = 100

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_document(
    model: type[ModelT], body: bytes, what: str, bytes_max: int = DOCUMENT_BYTES_MAX
) -> ModelT:
    """Raises TooLarge, and BadRequest where the body is not `what` it should be."""
    check_size(body, bytes_max)
    try:
        return model.model_validate_json(without_mark(body))
    except ValidationError as error:
        raise BadRequest(f"The body is not {what}.", details_of(error)) from None


def check_size(body: bytes, bytes_max: int) -> None:
    """Raises TooLarge."""
    if len(body) > bytes_max:
        rule = Detail("", "max_bytes", f"At most {bytes_max} bytes, after inflating")
        raise TooLarge("The body is too large.", [rule])


def without_mark(body: bytes) -> bytes:
    """The body without the byte order mark that tools on Windows put before it."""
    return body.removeprefix(codecs.BOM_UTF8)


def details_of(error: ValidationError, prefix: str = "") -> tuple[Detail, ...]:
    """pydantic's findings as Relay's details, at most ten; no value of the input is repeated."""
    findings = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(
        Detail(_path(prefix, finding["loc"]), finding["type"], finding["msg"])
        for finding in findings[:DETAILS_SHOWN_MAX]
    )


def _path(prefix: str, location: Sequence[str | int]) -> str:
    path = prefix
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            # The name of an unknown field is its sender's, and may be as long as the body.
            name = part if len(part) <= _NAME_SHOWN_MAX else f"{part[:_NAME_SHOWN_MAX]}…"
            # Half of a surrogate pair could not be answered.
            name = name.encode(errors="replace").decode()
            path += f".{name}" if path else name
    return path
