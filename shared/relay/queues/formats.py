"""The number of a message's format, which each message carries as `format`.

Old and new code run side by side while a deployment goes on, and after it is rolled back. A version
refuses a format that it does not know: the message stays in its queue or becomes a dead letter.
"""

from pydantic import ValidationError

from relay.entities.document import details_of

# No format will have a higher number.
_FORMATS_MAX = 1000


class NewerFormat(ValueError):
    """A newer version of Relay sent the message."""


def refusal(error: ValidationError, known: int) -> ValueError:
    """Why a body is not a message in the format `known`; the text has none of its values."""
    for found in error.errors(include_url=False, include_context=False):
        given = found["input"]
        if found["loc"] == ("format",) and given in range(known + 1, _FORMATS_MAX):
            return NewerFormat(
                "not a message of this version: "
                f"a newer one sent it, in format {given}; deploy that, then redrive the message"
            )
    # pydantic's own message would quote the input.
    broken = ", ".join(f"{detail.path} {detail.rule}" for detail in details_of(error))
    return ValueError(f"not a message: {broken}")
