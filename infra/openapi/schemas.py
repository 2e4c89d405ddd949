"""JSON Schema of the models and shapes, including the rules in validator functions.

Client generators read it, too. They turn `anyOf` and `oneOf` into types and can't handle a schema
that is only `true` or `false`. So a rule over several fields uses `if`, `then` and `else`, or
`not`, which they ignore.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from infra.openapi.descriptions import descriptions_of
from relay.entities.workspace_ids import WORKSPACE_PROPERTY
from relay.sources.tool import KINDS

REF = "#/components/schemas/{model}"

# By the name of the validator function: a rule that is missing here makes the generation fail.
_RULES: Mapping[str, JsonSchemaValue] = {
    "_url": {"format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"},
    "_date_time": {"format": "date-time"},
    "_kind": {"enum": [*KINDS]},
    "_https": {"pattern": "^https://"},
    "_secret": {"pattern": "^whsec_[A-Za-z0-9+/]+={0,2}$"},
    "_property_name": {"pattern": f"^(?!{WORKSPACE_PROPERTY}$)[^:_][^:]*$"},
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
    # JSON Schema can state neither a sum, such as of all associations, nor that two lists are
    # equally long.
    "_few_values": {},
    "_a_time_for_each": {},
}
# Added to the description of each field of the format.
_FORMATS = {
    "date-time": "RFC 3339, such as `2026-01-31T09:30:00Z`.",
    "uri": "http or https, percent-encoded as RFC 3986 requires.",
}
# Any other field that may be absent is never null (`relay.edge.answer.present`).
_ABSENT_OR_NULL = "jira"


class _Generator(GenerateJsonSchema):
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out the default, because some generators make a field with a default required.

        The description explains the default.
        """
        return self.generate_inner(schema["schema"])

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Add the format, which languages with 32-bit default integers need."""
        written = super().int_schema(schema)
        return written | ({"format": "int64"} if written.get("maximum", 0) >= 2**31 else {})

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        written = super().enum_schema(schema)
        if "description" in written:
            written["description"] = _in_one_line(written["description"])
        return written

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        model = schema["cls"]
        names = {known.alias or name: name for name, known in model.model_fields.items()}
        return _described(super().model_schema(schema), model, names)

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        """Forbid additional fields, except in Jira's shapes, which have a config."""
        fields = schema["fields"]
        is_jiras = "__pydantic_config__" in vars(schema["cls"])
        if not is_jiras:
            fields = {name: _never_null(name, field) for name, field in fields.items()}
        written = super().typed_dict_schema({**schema, "fields": fields})
        if not is_jiras:
            written["additionalProperties"] = False
        names = {str(field.get("validation_alias", name)): name for name, field in fields.items()}
        return _described(written, schema["cls"], names)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Leave out pydantic's titles, which repeat the fields' names."""
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Make a name that breaks its pattern invalid, not an additional property."""
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
        # pydantic implements some of its own limits with a partial, and writes them itself.
        return inner if isinstance(rule, partial) else inner | _RULES[rule.__name__]


def _never_null(name: str, field: core_schema.TypedDictField) -> core_schema.TypedDictField:
    inner = field["schema"]
    may_be_null = field.get("required", True) or name == _ABSENT_OR_NULL
    if may_be_null or inner["type"] != "nullable":
        return field
    return {**field, "schema": inner["schema"]}


def _described(written: JsonSchemaValue, kind: type, names: Mapping[str, str]) -> JsonSchemaValue:
    """Add the descriptions of fields and class; `names` maps JSON's names to Python's."""
    descriptions = descriptions_of(kind)
    for name, field in written["properties"].items():
        if names[name] in descriptions:
            field["description"] = descriptions[names[name]] + _format_of(field)
    description = written.get("description") or descriptions.get("")
    return written | ({"description": _in_one_line(description)} if description else {})


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _format_of(field: JsonSchemaValue) -> str:
    kinds = [field, *field.get("anyOf", [])]
    return " ".join(["", *(_words_of(one) for one in kinds if one.get("format") in _FORMATS)])


def _words_of(kind: JsonSchemaValue) -> str:
    if kind.get("pattern") == _RULES["_https"]["pattern"]:
        return "Percent-encoded as RFC 3986 requires."
    return _FORMATS[kind["format"]]


def components(kinds: Iterable[type]) -> dict[str, JsonSchemaValue]:
    """The schemas of these models and shapes and of everything that they refer to, by name.

    Raises ValueError if two share a name, and KeyError for a rule that `_RULES` does not have.
    """
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (kind.__name__, "validation", TypeAdapter(kind)) for kind in dict.fromkeys(kinds)
    ]
    _, definitions = TypeAdapter.json_schemas(wanted, ref_template=REF, schema_generator=_Generator)
    found: dict[str, JsonSchemaValue] = definitions["$defs"]
    # For these, pydantic uses names with modules, which contain `__`.
    shared = [name for name in found if "__" in name]
    if shared:
        raise ValueError(f"two models share a name: {sorted(shared)}")
    return {name: _plain(found[name]) for name in sorted(found)}


def reference(kind: type) -> JsonSchemaValue:
    """A reference to the schema of a model or shape in `components`."""
    return {"$ref": REF.format(model=kind.__name__)}


def inline(kind: Any) -> JsonSchemaValue:
    """The schema of a simple type, such as a parameter's, without references."""
    schema = TypeAdapter(kind).json_schema(schema_generator=_Generator)
    for definition in schema.pop("$defs", {}).values():
        schema = definition | {name: value for name, value in schema.items() if name != "$ref"}
    return _plain(schema)


def _plain(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {name: value for name, value in schema.items() if name != "title"}
