"""JSON bodies of requests: their size limits, and the errors for a bad one."""

import codecs
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from relay.errors import BadRequest, Detail, TooLarge

# Limits in bytes, after decompression. A document may list a thousand ids. Lambda's limit of 6 MB
# for an event bounds a submission.
DOCUMENT_BYTES_MAX = 256 * 1024
CONTAINERS_BYTES_MAX = 1024 * 1024
SUBMISSION_BYTES_MAX = 4 * 1024 * 1024

DETAILS_SHOWN_MAX = 10
_NAME_SHOWN_MAX = 100

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_document(
    model: type[ModelT], body: bytes, what: str, bytes_max: int = DOCUMENT_BYTES_MAX
) -> ModelT:
    """The validated body. `what` names it in the error's message, such as "a workspace".

    Raises TooLarge for more than `bytes_max` bytes; BadRequest, with details, for an invalid body.
    """
    check_size(body, bytes_max)
    try:
        return model.model_validate_json(without_mark(body))
    except ValidationError as error:
        raise BadRequest(f"The body is not {what}.", details_of(error)) from None


def check_size(body: bytes, bytes_max: int) -> None:
    """Raises TooLarge for a body of more than `bytes_max` bytes."""
    if len(body) > bytes_max:
        rule = Detail("", "max_bytes", f"At most {bytes_max} bytes, after decompression")
        raise TooLarge("The body is too large.", [rule])


def without_mark(body: bytes) -> bytes:
    """The body without the byte order mark that some tools on Windows write."""
    return body.removeprefix(codecs.BOM_UTF8)


def details_of(error: ValidationError, prefix: str = "") -> tuple[Detail, ...]:
    """pydantic's errors as details, at most ten. They contain no values of the input.

    `prefix` is the path of the validated object, such as `incidents[3]`.
    """
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
            # The sender chose the name of an unknown field: it may be as long as the body.
            name = part if len(part) <= _NAME_SHOWN_MAX else f"{part[:_NAME_SHOWN_MAX]}…"
            # Half of a surrogate pair can't be encoded in the response.
            name = name.encode(errors="replace").decode()
            path += f".{name}" if path else name
    return path
