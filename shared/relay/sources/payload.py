"""Reading a webhook's body: its JSON, and the parts of models of it.

Required fields of a model are those without which nothing can be sent to Jira. Every other field is
`Lenient`, or an `OptionalText`: a tool that changes its type costs that field, not the incident.
"""

from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from relay.entities.json_text import is_text, read_json, split_elements, strict_json
from relay.errors import BadRequest, Detail

# PagerDuty, EventBridge and Azure send no more.
BODY_BYTES_MAX = 256 * 1024
# A body of this size can't hold more items that are worth reading.
_ITEMS_MAX = 10_000
# More members of a list inside an item are not read: Jira takes a hundred components.
_MEMBERS_MAX = 1_000

T = TypeVar("T")


def read_payload(body: bytes) -> Any:
    """The body's JSON. Raises BadRequest.

    A value that can't be represented, such as half of a surrogate pair or a number of thousands of
    digits, becomes one that no model accepts: it must not cost the rest. Tools cut long texts in
    the middle of a pair.
    """
    try:
        return strict_json(body)
    except ValueError as error:
        fault = str(error)
    try:
        skeleton, items = split_elements(body, _ITEMS_MAX)
    except ValueError:
        skeleton, items = b"", []
    document = read_json(skeleton)[0] if len(items) <= _ITEMS_MAX else None

    def whole(value: Any) -> Any:
        # At this depth, a list holds the numbers of its items.
        return [read_json(items[place])[0] for place in value] if isinstance(value, list) else value

    if isinstance(document, dict):
        return {name: whole(value) for name, value in document.items()}
    if isinstance(document, list):
        return [whole(value) for value in document]
    raise BadRequest("The body is not JSON in UTF-8.", [Detail("", "json", fault)])


class Payload(BaseModel):
    """A part of a payload. Fields that Relay does not read are ignored, as tools add some."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, defer_build=True)


def _or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


def _or_empty(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return _or_none(value, validate) or ""


def _several(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    found: list[Any] = []
    for one in value[:_MEMBERS_MAX] if isinstance(value, list) else []:
        found += _or_none([one], validate) or []
    return found


def _labels(value: Any) -> Any:
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(text, str) and is_text(name + text)}


def _text(value: str) -> str:
    if not is_text(value):
        raise PydanticCustomError("string_unicode", "Input should be Unicode text")
    return value


Text = Annotated[str, AfterValidator(_text)]
# The tool's own id of something: needed, so never empty.
Id = Annotated[str, Field(min_length=1), AfterValidator(_text)]
# None if the value is absent or is not a T; to be declared with the default None.
Lenient = Annotated[T | None, WrapValidator(_or_none)]
# Empty if the value is absent or is not a text; to be declared with the default "".
OptionalText = Annotated[str, AfterValidator(_text), WrapValidator(_or_empty)]
# The members of a list that are a T; [] if it is no list.
Several = Annotated[list[T], WrapValidator(_several)]
# Labels or tags: the members of an object that are texts; {} if it is no object.
Labels = Annotated[dict[str, str], BeforeValidator(_labels)]
