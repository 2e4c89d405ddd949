"""What a client generator makes of the OpenAPI document: types everywhere."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from infra.openapi.operations import OPERATIONS
from tests.support.generated_client import generated_client

UNTYPED = re.compile(r"\b(Any|object)\b")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    with generated_client(tmp_path_factory.mktemp("client")) as client:
        yield client


def calls(client: ModuleType) -> Iterator[tuple[str, Any]]:
    folder = Path(str(client.__file__)).parent
    for path in sorted(folder.glob("api/*/*.py")):
        if path.stem != "__init__":
            name = f"{client.__name__}.api.{path.parent.name}.{path.stem}"
            yield path.stem, import_module(name)


def test_every_operation_has_a_method(client: ModuleType) -> None:
    assert len(list(calls(client))) == len(OPERATIONS)


def test_every_parameter_and_every_body_has_a_type(client: ModuleType) -> None:
    untyped = [
        f"{name}: {parameter}"
        for name, module in calls(client)
        for parameter in inspect.signature(module.sync_detailed).parameters.values()
        if UNTYPED.search(str(parameter.annotation)) or parameter.annotation is parameter.empty
    ]
    assert untyped == []


def test_every_answer_with_a_body_has_a_type(client: ModuleType) -> None:
    """A response without a body, such as a 204, is `Any` in this generator."""
    bodies = {
        to_snake(operation.id): all(answer.model for answer in operation.answers)
        for operation in OPERATIONS.values()
    }
    for name, module in calls(client):
        if bodies[name]:
            answer = str(inspect.signature(module.sync_detailed).return_annotation)
            assert not UNTYPED.search(answer), f"{name} -> {answer}"


def test_every_field_of_every_model_has_a_type(client: ModuleType) -> None:
    models = import_module(f"{client.__name__}.models")
    classes = [one for one in vars(models).values() if attrs.has(one)]
    assert len(classes) > 50
    untyped = [
        f"{one.__name__}.{field.name}: {field.type}"
        for one in classes
        for field in attrs.fields(one)
        # Fields that others, Jira above all, may send besides the known ones.
        if field.name != "additional_properties" and UNTYPED.search(str(field.type))
    ]
    assert untyped == []


def test_a_submission_is_made_of_entities(client: ModuleType) -> None:
    models = import_module(f"{client.__name__}.models")
    types = {field.name: str(field.type) for field in attrs.fields(models.SubmissionRequest)}
    assert types["incidents"] == "list[Incident] | None | Unset"
    assert types["reviews"] == "list[PostIncidentReview] | None | Unset"


def to_snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()
