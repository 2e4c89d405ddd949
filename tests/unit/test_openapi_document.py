"""The OpenAPI document matches the template and the models exactly."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import AfterValidator, BaseModel, create_model

from infra.openapi.__main__ import PATH
from infra.openapi.descriptions import descriptions_of
from infra.openapi.document import check_complete, document
from infra.openapi.handlers import handlers
from infra.openapi.operation import Caller
from infra.openapi.operations import INCIDENT, OPERATIONS, REVIEW
from infra.openapi.schemas import components
from infra.openapi.template import Route, routes, throttling
from relay.edge.shapes.actions import JiraReview
from relay.entities.model import MODELS, Incident, PostIncidentReview
from relay.queues.notices import Event
from tests.support.template import functions
from tests.support.template import routes as routes_of

DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_the_committed_document_is_up_to_date() -> None:
    assert PATH.read_text("utf-8") == json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n"


def test_the_document_is_generated_deterministically() -> None:
    assert json.dumps(document()) == json.dumps(DOCUMENT)


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_document_has_the_templates_routes() -> None:
    in_template = {
        (method, path.replace("+}", "}"))
        for function in functions()
        for method, path in routes_of(function)
        if method != "HEAD"
    }
    in_document = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
    }
    assert in_document == in_template - {("ANY", "*")}


def test_a_route_without_a_description_fails() -> None:
    with pytest.raises(ValueError, match="/v1/new"):
        check_complete([*routes(), Route("GET", "/v1/new")])


def test_a_description_without_a_route_fails() -> None:
    first, *rest = routes()
    with pytest.raises(ValueError, match=first.path):
        check_complete(rest)


def test_a_handler_without_a_docstring_fails(tmp_path: Path) -> None:
    source = '@handler.get("/new")\ndef get_new():\n    """Get it."""\n'
    (tmp_path / "new").mkdir()
    file = tmp_path / "new" / "handler.py"

    file.write_text(source, "utf-8")
    [found] = handlers(tmp_path).values()
    assert (found.route, found.id, found.summary) == (Route("GET", "/new"), "getNew", "Get it")

    file.write_text(source.replace('"""Get it."""', "pass"), "utf-8")
    with pytest.raises(ValueError, match="get_new"):
        handlers(tmp_path)


def test_a_model_rule_that_openapi_cannot_express_fails() -> None:
    def _odd(value: int) -> int:
        return value

    class Model(BaseModel):
        number: Annotated[int, AfterValidator(_odd)]

    with pytest.raises(KeyError, match="_odd"):
        components([Model])


def test_two_models_with_the_same_name_fail() -> None:
    first, second = create_model("Twin", one=(int, 1)), create_model("Twin", two=(str, ""))
    assert components([first]).keys() == {"Twin"}
    with pytest.raises(ValueError, match="Twin"):
        components([first, second])


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.__name__)
def test_entities_have_jiras_limits_less_the_workspaces_key(
    model: type[Incident] | type[PostIncidentReview],
) -> None:
    schema = SCHEMAS[model.__name__]
    properties = schema["properties"]
    assert not schema["additionalProperties"]
    assert set(properties) == set(model.model_fields)
    assert (properties["id"]["minLength"], properties["id"]["maxLength"]) == (1, 246)
    assert properties["summary"]["maxLength"] == 255
    assert properties["description"]["maxLength"] == 5000
    assert (
        properties["url"].items()
        >= {
            "type": "string",
            "format": "uri",
            "maxLength": 2000,
            "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
        }.items()
    )
    assert properties["createdDate"]["format"] == "date-time"
    assert properties["updateSequenceNumber"]["maximum"] == 2**63 - 1
    assert properties["updateSequenceNumber"]["format"] == "int64"
    references = properties["affectedComponents" if model is Incident else "reviews"]
    assert (references["minItems"], references["maxItems"]) == (1, 100)


def test_property_names_are_restricted() -> None:
    properties, null = SCHEMAS["SubmissionRequest"]["properties"]["properties"]["anyOf"]
    assert null == {"type": "null"}
    assert properties["maxProperties"] == 4
    assert properties["propertyNames"]["pattern"] == "^(?!relayWorkspace$)[^:_][^:]*$"
    assert properties["additionalProperties"] == {"type": "string", "maxLength": 255}


def test_every_operation_documents_its_callers_and_responses() -> None:
    for route, operation in OPERATIONS.items():
        written = DOCUMENT["paths"][route.path][route.method.lower()]
        statuses = {int(status) for status in written["responses"]}
        assert {429, 500, 503} <= statuses
        # The address of a source is itself the credential.
        is_open = operation.caller is Caller.ANYONE and "{address}" not in route.path
        assert (401 in statuses) == (not is_open)
        assert (403 in statuses) == (operation.caller in (Caller.PROVIDER, Caller.PAGE))
        checks_media = operation.caller in (Caller.PROVIDER, Caller.FORGE, Caller.PAGE)
        assert {413, 415} <= statuses or not (checks_media and operation.body)
        assert bool(written["security"]) == (operation.caller is not Caller.ANYONE)


def test_every_named_security_scheme_is_described() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    named = {
        scheme
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
        for way in operation["security"]
        for scheme in way
    }
    assert named == schemes.keys()


def test_actions_accept_either_identity_and_forge_routes_only_forges() -> None:
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            ways = [[*way] for way in operation["security"]]
            if operation["tags"] == ["Jira's actions"]:
                assert ways == [["jiraCallback"], ["forgeInvocation"]]
            elif ["jiraContext"] in ways:
                assert ways == [["jiraContext"], ["forgeInvocation"]]
                assert path.startswith("/page/")
            else:
                assert (ways == [["forgeInvocation"]]) == path.startswith("/forge/")
                assert ["forgeInvocation"] not in ways[1:]


@pytest.mark.parametrize(
    "values",
    [
        SCHEMAS["OutcomeState"]["enum"],
        SCHEMAS["Site"]["properties"]["state"]["enum"],
        SCHEMAS["Replay"]["properties"]["state"]["enum"],
        SCHEMAS["Replay"]["properties"]["why"]["enum"],
    ],
)
def test_the_page_for_providers_explains_every_state(values: list[str]) -> None:
    page = PATH.with_name("provider.md").read_text("utf-8")
    assert len(values) > 2
    assert [value for value in values if f"`{value}`" not in page] == []


def test_every_reference_resolves() -> None:
    for reference in references_in(DOCUMENT):
        target: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


# --- For client generators ---


def test_every_model_and_every_field_is_described() -> None:
    undescribed = [name for name, schema in SCHEMAS.items() if not schema.get("description")]
    undescribed += [
        f"{name}.{field}"
        for name, schema in SCHEMAS.items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description", "").endswith((".", "?"))
    ]
    assert undescribed == []


def test_a_timestamp_has_a_format() -> None:
    replay = SCHEMAS["Replay"]["properties"]
    assert replay["startedAt"]["description"] == (
        "When it was started. RFC 3339, such as `2026-01-31T09:30:00Z`."
    )


def test_a_description_is_inherited_and_may_be_overridden() -> None:
    assert descriptions_of(PostIncidentReview)["summary"] == "The title, in plain text."
    assert descriptions_of(JiraReview)["id"] == "The review's id at the site."


def test_every_schema_has_a_type() -> None:
    """A schema without a type accepts anything, and generators make `Any` or `unknown` of it."""
    untyped = [where for where, schema in schemas_in(DOCUMENT) if not is_typed(schema)]
    # What a tool sends is its own.
    assert untyped == ["/components/schemas/SourcePayload"]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"description": "Whatever."},
        {"type": "object"},
        {"type": "object", "additionalProperties": True},
        {"type": "array"},
        {"anyOf": [{"required": ["one"]}]},
        True,
    ],
)
def test_a_schema_without_restrictions_is_found(schema: Any) -> None:
    whole = {"schema": {"type": "object", "properties": {"field": schema}}}
    assert [where for where, one in schemas_in(whole) if not is_typed(one)]


def test_no_field_has_a_default_that_makes_generators_require_it() -> None:
    assert [where for where, schema in schemas_in(DOCUMENT) if "default" in schema] == []


@pytest.mark.parametrize(
    ("body", "is_good"),
    [
        ({"incidents": [INCIDENT]}, True),
        ({"reviews": [REVIEW]}, True),
        ({"incidents": [INCIDENT], "reviews": None}, True),
        ({"incidents": [], "reviews": [REVIEW]}, True),
        ({}, False),
        ({"incidents": None}, False),
        ({"incidents": [], "reviews": []}, False),
        ({"incidents": [INCIDENT | {"summary": "x" * 256}]}, False),
        ({"incidents": [INCIDENT], "more": 1}, False),
    ],
)
def test_a_submission_has_at_least_one_entity(body: Any, is_good: bool) -> None:
    assert is_valid("SubmissionRequest", body) == is_good


@pytest.mark.parametrize(
    ("body", "is_good"),
    [
        ({"workspaces": ["payments"]}, True),
        ({"workspaces": ["payments"], "allWorkspaces": False}, True),
        ({"allWorkspaces": True}, True),
        ({"workspaces": ["payments"], "allWorkspaces": True}, False),
        ({"allWorkspaces": False}, False),
        ({}, False),
    ],
)
def test_a_key_is_for_some_workspaces_or_for_all(body: Any, is_good: bool) -> None:
    assert is_valid("KeyRequest", body) == is_good


def test_every_notice_is_a_webhook_of_the_document() -> None:
    assert DOCUMENT["webhooks"].keys() == set(get_args(Event))
    for event, item in DOCUMENT["webhooks"].items():
        content = item["post"]["requestBody"]["content"]["application/json"]
        name = content["schema"]["$ref"].rpartition("/")[2]
        assert SCHEMAS[name]["properties"]["type"]["const"] == event
        assert is_valid(name, content["examples"]["notice"]["value"])
        not_taken = item["post"]["responses"]["default"]["description"]
        assert ("sent again for a day" in not_taken) == (event != "webhook.test")


def test_the_templates_limits_are_documented() -> None:
    for limit in throttling().values():
        assert str(limit.rate) in DOCUMENT["info"]["description"]
        assert str(limit.burst) in DOCUMENT["info"]["description"]


def is_valid(name: str, value: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    return Draft202012Validator(schema).is_valid(value)


def schemas_in(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every schema within a value, except those that only add rules."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from schemas_in(one, f"{where}/{index}")
    if not isinstance(value, dict):
        return
    for name, one in value.items():
        path = f"{where}/{name}"
        if name == "schema":
            yield from within(one, path)
        elif path == "/components/schemas":
            for model, schema in one.items():
                yield from within(schema, f"{path}/{model}")
        elif name not in ("examples", "example"):
            yield from schemas_in(one, path)


def within(schema: Any, where: str) -> Iterator[tuple[str, Any]]:
    yield where, schema
    if not isinstance(schema, dict):
        return
    for name, one in schema.get("properties", {}).items():
        yield from within(one, f"{where}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from within(schema[name], f"{where}.{name}")
    for name in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(name, []):
            yield from within(one, f"{where}.{name}")


def is_typed(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    kinds = schema.get("type")
    if kinds == "object":
        others = schema.get("additionalProperties")
        return bool(schema.get("properties") or isinstance(others, dict))
    if kinds == "array":
        return "items" in schema
    return bool(kinds or "$ref" in schema or "anyOf" in schema)


def references_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for one in value.values() for found in references_in(one)]
    if isinstance(value, list):
        return [found for one in value for found in references_in(one)]
    return []
