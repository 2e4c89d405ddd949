"""JSON Schema of the models, with the rules that pydantic keeps in functions."""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

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
        "oneOf": [
            {"required": ["workspaces"], "properties": {"allWorkspaces": {"const": False}}},
            {
                "required": ["allWorkspaces"],
                "properties": {"allWorkspaces": {"const": True}, "workspaces": False},
            },
        ]
    },
    # All associations together: JSON Schema has no word for a sum.
    "_few_values": {},
}


class _Absent(Enum):
    FIELD = None


# The default of a field that an answer may lack: such a field has no default to speak of.
ABSENT: Any = _Absent.FIELD


class Shape(BaseModel):
    """An answer: no other field is in it."""

    model_config = ConfigDict(extra="forbid")


class _Generator(GenerateJsonSchema):
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is ABSENT:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

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
