"""JSON Schema of the models, with the rules that pydantic keeps in functions.

It is for generators of clients, too. So a rule over several fields is said with `if`, `then` and
`else`, or `not`, which they leave aside: of `anyOf` and `oneOf` they make types, and of a schema
that is only `true` or `false` nothing at all.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from infra.openapi.descriptions import descriptions_of
from relay.entities.workspace_ids import WORKSPACE_PROPERTY

REF = "#/components/schemas/{model}"

# By the name of the function that holds it: a rule that is not here fails the generation.
_RULES: Mapping[str, JsonSchemaValue] = {
    "_url": {"format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"},
    "_date_time": {"format": "date-time"},
    "_https": {"pattern": "^https://"},
    "_secret": {"pattern": "^whsec_[A-Za-z0-9+/]+={0,2}$"},
    "_property_name": {"pattern": f"^(?!{WORKSPACE_PROPERTY}$)[^:_][^:]*$"},
    # `since` is for what is owed alone.
    "_since_belongs_to_owed": {
        "not": {
            "required": ["what", "since"],
            "properties": {"what": {"const": "all"}, "since": {"type": "string"}},
        }
    },
    "_for_some_or_for_all": {
        "if": {"required": ["workspaces"]},
        "then": {"properties": {"allWorkspaces": {"const": False}}},
        "else": {"required": ["allWorkspaces"], "properties": {"allWorkspaces": {"const": True}}},
    },
    # All associations together: JSON Schema has no word for a sum.
    "_few_values": {},
}


# Said of each field of the format.
_FORMATS = {
    "date-time": "RFC 3339, such as `2026-01-31T09:30:00Z`.",
    "uri": "http or https, percent-encoded as RFC 3986 asks.",
}


class _Absent(Enum):
    FIELD = None


# The default of a field that an answer may lack: such a field has no default to speak of.
ABSENT: Any = _Absent.FIELD


class Shape(BaseModel):
    """An answer: no other field is in it."""

    model_config = ConfigDict(extra="forbid")


class Page(Shape):
    """A page of a list. It may be shorter than `limit`, and even empty, and not be the last: the
    last one has no `next`."""

    next: str = ABSENT
    """Where the following page begins: its `after`. It is to be passed on as it is, percent-encoded
    in the query. Absent in the last page."""


class _Generator(GenerateJsonSchema):
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Without the default, which some generators take for a reason to require the field; the
        description says what its absence means."""
        return self.generate_inner(schema["schema"])

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Languages whose integers have 32 bits unless told otherwise are told."""
        written = super().int_schema(schema)
        return written | ({"format": "int64"} if written.get("maximum", 0) >= 2**31 else {})

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        written = super().enum_schema(schema)
        if "description" in written:
            written["description"] = _in_one_line(written["description"])
        return written

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        written = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        descriptions = descriptions_of(model)
        for name, known in model.model_fields.items():
            field = written["properties"][known.alias or name]
            if name in descriptions:
                field["description"] = descriptions[name] + _format_of(field)
        description = written.get("description") or descriptions.get("")
        if description:
            written["description"] = _in_one_line(description)
        return written

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """A field's name says as much as the title that pydantic makes of it."""
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Names that break their pattern are refused, and not let through as something else."""
        written = super().dict_schema(schema)
        for pattern, value in written.pop("patternProperties", {}).items():
            written["propertyNames"] = written.get("propertyNames", {}) | {"pattern": pattern}
            written["additionalProperties"] = value
        return written

    def function_after_schema(
        self, schema: core_schema.AfterValidatorFunctionSchema
    ) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        rule = schema["function"]["function"]
        # A limit of pydantic's own, behind a function: what it says is added elsewhere.
        return inner if isinstance(rule, partial) else inner | _RULES[rule.__name__]


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _format_of(field: JsonSchemaValue) -> str:
    kinds = [field, *field.get("anyOf", [])]
    return " ".join(["", *(_words_of(one) for one in kinds if one.get("format") in _FORMATS)])


def _words_of(kind: JsonSchemaValue) -> str:
    if kind.get("pattern") == _RULES["_https"]["pattern"]:
        return "Percent-encoded as RFC 3986 asks."
    return _FORMATS[kind["format"]]


def components(models: Iterable[type[BaseModel]]) -> dict[str, JsonSchemaValue]:
    """The models and all that they are made of, by name.

    Raises ValueError where two share a name, of which pydantic makes long ones with `__`.
    """
    wanted = list(dict.fromkeys(models))
    _, definitions = models_json_schema(
        [(model, "validation") for model in wanted],
        ref_template=REF,
        schema_generator=_Generator,
    )
    found: dict[str, JsonSchemaValue] = definitions["$defs"]
    shared = [name for name in found if "__" in name]
    if shared:
        raise ValueError(f"two models share a name: {sorted(shared)}")
    return {name: _plain(found[name]) for name in sorted(found)}


def reference(model: type[BaseModel]) -> JsonSchemaValue:
    return {"$ref": REF.format(model=model.__name__)}


def inline(kind: Any) -> JsonSchemaValue:
    """The schema of a plain type, such as a parameter's."""
    schema = TypeAdapter(kind).json_schema(schema_generator=_Generator)
    for definition in schema.pop("$defs", {}).values():
        schema = definition | {name: value for name, value in schema.items() if name != "$ref"}
    return _plain(schema)


def _plain(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {name: value for name, value in schema.items() if name != "title"}
