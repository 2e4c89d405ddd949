"""The architecture's rules: what may import what, and that template and code agree."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_snake

import relay.settings
from infra.lambdas.routing import owners
from relay.settings import Settings
from relay.telemetry import Metric
from tests.support.template import ROOT, functions, resources, routes, template

# A room imports only rooms before it.
ROOMS = [
    "errors",
    "initialization",
    "settings",
    "telemetry",
    "aws",
    "table",
    "secrets",
    "outbound",
    "entities",
    "sources",
    "keys",
    "queues",
    "tenants",
    "catalog",
    "record",
    "jira",
    "identity",
    "delivery",
    "replays",
    "provider",
    "actions",
    "edge",
]
SHARED = ROOT / "shared" / "relay"
# The import names of the project's runtime dependencies, and of what Lambda's runtime adds.
LIBRARIES = {
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "cryptography",
    "httpcore",
    "httpx",
    "jmespath",
    "jwt",
    "pydantic",
    "pydantic_core",
    "snapshot_restore_py",
    "standardwebhooks",
    "typing_extensions",
}
STORES = ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::KMS::Key")


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imported(path: Path, at_start: bool = False) -> Iterator[str]:
    """Every module that the file imports at run time, without imports for type checkers; with
    `at_start`, only those that it imports when it is loaded itself."""
    tree = ast.parse(path.read_text("utf-8"))
    for_types_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in tree.body if at_start else ast.walk(tree):
        if id(node) in for_types_only:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name their module in full"
            yield from (
                [f"relay.{name.name}" for name in node.names]
                if node.module == "relay"
                else [node.module or ""]
            )


def loaded(path: Path, known: set[str]) -> set[str]:
    """Adds every module that is loaded with the file to the known ones, and returns them."""
    for name in imported(path, at_start=True):
        if name not in known:
            known.add(name)
            own = SHARED.parent / f"{name.replace('.', '/')}.py"
            if own.exists():
                loaded(own, known)
    return known


def is_library(module: str) -> bool:
    top = module.partition(".")[0]
    return top in LIBRARIES or top in sys.stdlib_module_names


# --- Imports ---


def room_of(path: Path) -> str:
    return path.relative_to(SHARED).parts[0].removesuffix(".py")


def test_the_list_of_rooms_is_complete() -> None:
    assert {room_of(path) for path in sources(SHARED)} - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room: str) -> None:
    above = set(ROOMS[: ROOMS.index(room) + 1])
    for path in sources(SHARED):
        if room_of(path) == room:
            used = {name.split(".")[1] for name in imported(path) if name.startswith("relay.")}
            assert used <= above, path


def test_lambda_code_imports_only_what_its_layer_holds() -> None:
    for folder in (SHARED, ROOT / "functions"):
        for path in sources(folder):
            foreign = {
                name for name in imported(path) if not is_library(name) and name[:6] != "relay."
            }
            assert not foreign, path


@pytest.mark.parametrize(
    ("room", "others"),
    [
        ("harness", {"bench", "chaos"}),
        ("bench", {"chaos"}),
        ("chaos", {"bench"}),
        ("local", {"harness", "bench", "chaos"}),
        ("lambdas", {"harness", "bench", "chaos", "local"}),
    ],
)
def test_a_tooling_room_imports_none_of_its_users(room: str, others: set[str]) -> None:
    for path in sources(ROOT / "infra" / room):
        used = {name.split(".")[1] for name in imported(path) if name.startswith("infra.")}
        assert not used & others, path


def test_no_function_loads_the_response_shapes() -> None:
    """Only the type checker and the OpenAPI document read them."""
    folder = SHARED / "edge" / "shapes"
    others = [path for path in sources(SHARED) if folder not in path.parents]
    for path in (*others, *sources(ROOT / "functions")):
        shapes = {name for name in imported(path) if name.startswith("relay.edge.shapes")}
        assert not shapes, path


@pytest.mark.parametrize(
    "name", ["entities", "links", "source_events", "sources", "submissions", "sweeper"]
)
def test_a_function_that_seldom_calls_another_host_loads_no_http_client(name: str) -> None:
    """Some tools wait a second for the answer, and a cold start has to fit into it."""
    found = loaded(ROOT / "functions" / name / "handler.py", set())
    assert "relay.settings" in found
    assert not {module.partition(".")[0] for module in found} & {"httpx", "httpcore"}


def test_a_function_is_one_file_and_imported_by_none() -> None:
    for name in functions():
        assert [path.name for path in sources(ROOT / "functions" / name)] == ["handler.py"]
    assert {path.parent.name for path in sources(ROOT / "functions")} == set(functions())


@pytest.mark.parametrize("name", functions())
def test_what_a_function_uses_is_created_at_init(name: str) -> None:
    """`parts` creates at first use: a handler that reads it would load code during a call."""
    tree = ast.parse((ROOT / "functions" / name / "handler.py").read_text("utf-8"))
    handlers = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    reads = [
        ast.unparse(node)
        for handler in handlers
        for node in ast.walk(handler)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("parts", "replay_parts")
    ]
    assert reads == []


# --- Settings ---


def settings_of(name: str) -> type[Settings]:
    """The class whose `from_environment` the function calls."""
    tree = ast.parse((ROOT / "functions" / name / "handler.py").read_text("utf-8"))
    (called,) = (
        ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "from_environment"
    )
    found: type[Settings] = getattr(relay.settings, called)
    assert issubclass(found, Settings)
    return found


def variables_of(name: str) -> dict[str, Any]:
    """Those that Relay's own code reads."""
    everyones = template()["Globals"]["Function"]["Environment"]["Variables"]
    own = functions()[name].get("Environment", {}).get("Variables", {})
    return {
        variable: value
        for variable, value in {**everyones, **own}.items()
        if not variable.startswith("POWERTOOLS_") and variable != "SETTINGS_VERSION"
    }


@pytest.mark.parametrize("name", functions())
def test_a_function_reads_exactly_its_environment_variables(name: str) -> None:
    read = {field.alias for field in settings_of(name).model_fields.values()}
    assert read == set(variables_of(name))


# --- Routes ---


def routes_in_code(name: str) -> dict[tuple[str, str], ast.FunctionDef]:
    """The (method, path) of the handler's decorators, with the function below each."""
    tree = ast.parse((ROOT / "functions" / name / "handler.py").read_text("utf-8"))
    return {
        (method, ast.literal_eval(decorator.args[0])): node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for method in methods_of(ast.unparse(decorator.func).rpartition(".")[2])
    }


def methods_of(decorator: str) -> list[str]:
    """HEAD is answered where GET is."""
    return ["GET", "HEAD"] if decorator == "get" else [decorator.upper()]


@pytest.mark.parametrize("name", functions())
def test_the_template_and_the_handler_have_the_same_routes(name: str) -> None:
    in_template = {(method, path) for method, path in routes(name) if path != "*"}
    assert set(routes_in_code(name)) == in_template


@pytest.mark.parametrize("name", functions())
def test_a_handler_accepts_the_ids_of_its_path(name: str) -> None:
    for (_, path), node in routes_in_code(name).items():
        taken = [argument.arg for argument in node.args.args]
        assert taken == [to_snake(found) for found in re.findall(r"{(\w+)\+?}", path)]


def test_no_two_functions_have_the_same_route() -> None:
    everywhere = [
        (method, re.sub(r"{[^}]+}", "{}", path))
        for name in functions()
        for method, path in routes(name)
    ]
    assert len(everywhere) == len(set(everywhere))


# --- Permissions of a function ---


def statements(name: str) -> list[dict[str, Any]]:
    policies = functions()[name].get("Policies", [])
    return [statement for policy in policies for statement in policy["Statement"]]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", functions())
def test_a_function_has_named_permissions_on_named_resources(name: str) -> None:
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            assert re.fullmatch(r"(dynamodb|sqs|kms):[A-Z][A-Za-z]+", action)
        for resource in listed(statement["Resource"]):
            assert re.fullmatch(r"[A-Za-z]+\.Arn", resource["GetAtt"])


@pytest.mark.parametrize("name", functions())
def test_a_function_may_access_only_the_resources_in_its_environment(name: str) -> None:
    """Tables, queues and keys; the queue that triggers a function is named by its event source."""
    stores = {store for kind in STORES for store in resources(kind)}
    named = {
        str(reference).partition(".")[0]
        for value in variables_of(name).values()
        if isinstance(value, dict)
        for reference in value.values()
    }
    for source in resources("AWS::Lambda::EventSourceMapping").values():
        called = source["FunctionName"]["Ref"].removesuffix(".Alias")
        if resources("AWS::Serverless::Function")[called] == functions()[name]:
            named.add(source["EventSourceArn"]["GetAtt"].partition(".")[0])
    touched = {
        resource["GetAtt"].partition(".")[0]
        for statement in statements(name)
        for resource in listed(statement["Resource"])
    }
    assert touched == named & stores


@pytest.mark.parametrize("name", functions())
def test_the_kms_key_is_used_only_with_an_encryption_context(name: str) -> None:
    for statement in statements(name):
        if any(action.startswith("kms:") for action in listed(statement["Action"])):
            assert all(
                condition.startswith("kms:EncryptionContext:") and value == "false"
                for condition, value in statement["Condition"]["Null"].items()
            )


# --- Attempts ---


@pytest.mark.parametrize("name", functions())
def test_a_function_has_its_own_log_group_with_a_retention(name: str) -> None:
    groups = resources("AWS::Logs::LogGroup")
    own = functions()[name]["LoggingConfig"]["LogGroup"]["Ref"]
    users = [
        other for other in functions().values() if other["LoggingConfig"]["LogGroup"]["Ref"] == own
    ]
    assert groups[own]["RetentionInDays"]
    assert len(users) == 1


def test_every_log_group_has_a_retention() -> None:
    assert all(group.get("RetentionInDays") for group in resources("AWS::Logs::LogGroup").values())


def test_the_access_log_has_no_query_and_no_address() -> None:
    (api,) = resources("AWS::Serverless::HttpApi").values()
    written = set(re.findall(r"\$context\.[A-Za-z.]+", api["AccessLogSettings"]["Format"]))
    assert "$context.routeKey" in written
    assert not any(
        part in name.lower()
        for name in written
        for part in ("path", "query", "sourceip", "identity", "useragent", "authorizer")
    )


def test_every_metric_name_is_unique() -> None:
    names = [metric.value.name for metric in Metric.__members__.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in names)


def test_stored_data_is_encrypted_and_can_be_restored() -> None:
    for table in resources("AWS::DynamoDB::Table").values():
        assert table["DeletionProtectionEnabled"] is True
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    for queue in resources("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue


def test_every_queue_refuses_plain_http() -> None:
    policies = resources("AWS::SQS::QueuePolicy").values()
    # A queue has one policy.
    queues = [queue["Ref"] for policy in policies for queue in policy["Queues"]]
    assert sorted(queues) == sorted(resources("AWS::SQS::Queue"))
    for policy in policies:
        (statement,) = (
            one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"
        )
        assert statement["Principal"] == "*"
        assert (statement["Action"], statement["Resource"]) == ("sqs:*", "*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_submissions_are_throttled_to_leave_room_for_lifecycle_calls() -> None:
    (api,) = resources("AWS::Serverless::HttpApi").values()
    default, own = api["DefaultRouteSettings"], api["RouteSettings"]
    assert set(own) <= set(owners())
    (submissions,) = (f"POST {path}" for method, path in routes("submissions") if method == "POST")
    doors = [f"{method} {path}" for method, path in routes("source_events")]
    for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
        for route in (submissions, *doors):
            assert own[route][limit] < default[limit] / 2, route
    assert not any("/lifecycle/" in route or "/forge/" in route for route in own)
