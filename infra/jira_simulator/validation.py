"""Compiled JSON Schema documents, whose errors become short messages."""

from collections.abc import Callable
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from .formats import FORMATS
from .refusal import Refusal

_MOST_MESSAGES = 10


def _is_integer(_: object, value: object) -> bool:
    # In JSON Schema 1.0 is an integer; an int64 field of Jira is stricter.
    return isinstance(value, int) and not isinstance(value, bool)


_StrictValidator = cast(Any, extend)(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)

# The library's own messages quote the whole value, which may have 5,000 characters.
_TEXTS: dict[str, Callable[[Any], str]] = {
    "const": lambda value: f"must be {value!r}",
    "exclusiveMinimum": lambda limit: f"must be greater than {limit}",
    "enum": lambda values: f"must be one of {', '.join(map(str, values))}",
    "format": lambda name: f"is not a valid {name}",
    "maxItems": lambda limit: f"holds more than {limit} items",
    "maxLength": lambda limit: f"is longer than {limit} characters",
    "maxProperties": lambda limit: f"holds more than {limit} entries",
    "maximum": lambda limit: f"is greater than {limit}",
    "minItems": lambda limit: f"holds fewer than {limit} items",
    "minLength": lambda limit: f"is shorter than {limit} characters",
    "minimum": lambda limit: f"is less than {limit}",
    "pattern": lambda pattern: f"does not match {pattern}",
    "type": lambda name: f"must be of type {name}",
}


class Rule:
    """A compiled schema: `problems` lists the errors of an instance, `require` raises them."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._validator = cast(Validator, _StrictValidator(schema, format_checker=FORMATS))

    def problems(self, instance: Any) -> list[str]:
        """Up to ten errors, each as `path: message`; empty for a valid instance."""
        found = [_sentence(error) for error in self._validator.iter_errors(instance)]
        return found[:_MOST_MESSAGES]

    def require(self, instance: Any, status: int = 400) -> None:
        """Raises a Refusal with the errors if the instance is invalid."""
        found = self.problems(instance)
        if found:
            raise Refusal(status, *found)


def _sentence(error: ValidationError) -> str:
    keyword = str(error.validator)
    if keyword in _TEXTS:
        text = _TEXTS[keyword](error.validator_value)
    else:
        text = _shortened(error.message)
    if "propertyNames" in error.relative_schema_path:
        text = f"the key {_shortened(repr(error.instance), 40)} {text}"
    path = error.json_path.removeprefix("$").removeprefix(".")
    return f"{path}: {text}" if path else text


def _shortened(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
