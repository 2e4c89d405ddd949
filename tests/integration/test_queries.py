"""The query of an operations tool's call: an invalid one is refused, never guessed."""

import pytest

from tests.integration.relay_stage import Relay, Start
from tests.support.entities import incident
from tests.support.lambdas import Answer
from tests.support.lifecycle import ACME

SUBMISSIONS = "/v1/workspaces/payments/submissions"
ENTITIES = "/v1/workspaces/payments/entities"


@pytest.fixture
def relay(start: Start) -> Relay:
    return start("payments")


def broken_rules(answer: Answer) -> list[tuple[str, str]]:
    assert (answer.status, answer.error_code) == (400, "bad_request")
    return [(detail["path"], detail["rule"]) for detail in answer.json()["error"]["details"]]


def queued(relay: Relay) -> int:
    attributes = relay.aws.sqs.get_queue_attributes(
        QueueUrl=relay.aws.environment["SUBMISSIONS_QUEUE"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def submit(relay: Relay, query: str) -> Answer:
    return relay.provider("POST", f"{SUBMISSIONS}{query}", {"incidents": [incident()]})


@pytest.mark.parametrize("query", ["?dryRun", "?dryRun=", "?dryRun=true"])
def test_a_dry_run_is_requested_by_the_bare_flag_or_by_true(relay: Relay, query: str) -> None:
    answer = submit(relay, query)

    assert (answer.status, answer.json()["dryRun"]) == (200, True)
    assert queued(relay) == 0


@pytest.mark.parametrize("query", ["", "?", "?dryRun=false"])
def test_without_the_flag_or_with_false_it_is_submitted(relay: Relay, query: str) -> None:
    assert submit(relay, query).status == 202
    assert queued(relay) == 1


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("?dryrun=true", [("dryrun", "unknown_parameter")]),
        ("?dry_run=1", [("dry_run", "unknown_parameter")]),
        ("?DryRun", [("DryRun", "unknown_parameter")]),
        ("?dryRun%20=true", [("dryRun ", "unknown_parameter")]),
        ("?dryRun=true&x=1", [("x", "unknown_parameter")]),
        ("?dryRun=true&dryRun=false", [("dryRun", "repeated_parameter")]),
        ("?x&x", [("x", "unknown_parameter"), ("x", "repeated_parameter")]),
        ("?dryRun=1", [("dryRun", "boolean")]),
        ("?dryRun=True", [("dryRun", "boolean")]),
        ("?dryRun=%20", [("dryRun", "boolean")]),
    ],
)
def test_an_invalid_parameter_submits_nothing(
    relay: Relay, query: str, rules: list[tuple[str, str]]
) -> None:
    assert broken_rules(submit(relay, query)) == rules
    assert queued(relay) == 0


@pytest.mark.parametrize("name", ["limit", "after", "state"])
def test_a_parameter_without_a_value_is_refused(relay: Relay, name: str) -> None:
    for query in (f"?{name}", f"?{name}="):
        answer = relay.provider("GET", f"{ENTITIES}{query}")
        assert broken_rules(answer) == [(name, "missing")]


def test_a_search_without_a_text_is_refused(relay: Relay) -> None:
    answer = relay.provider("GET", "/v1/workspaces/payments/containers?query=")

    assert broken_rules(answer) == [("query", "missing")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/workspaces/payments"),
        ("DELETE", "/v1/workspaces/payments"),
        ("GET", "/v1/workspaces"),
        ("HEAD", "/v1/workspaces"),
        ("POST", "/v1/workspaces/payments/containers"),
        ("DELETE", "/v1/workspaces/payments/incidents/inc-1"),
        ("POST", "/v1/keys"),
        ("GET", "/v1/sites"),
    ],
)
def test_every_route_refuses_unknown_parameters(relay: Relay, method: str, path: str) -> None:
    answer = relay.provider(method, f"{path}?force=true", {})

    assert answer.status == 400
    if method == "HEAD":
        assert answer.body == ""
    else:
        assert broken_rules(answer) == [("force", "unknown_parameter")]
    assert relay.provider("GET", "/v1/workspaces/payments").status == 200


def test_an_unauthenticated_caller_does_not_learn_a_routes_parameters(relay: Relay) -> None:
    assert relay.call("GET", "/v1/workspaces?force=true").status == 401


def test_properties_may_have_any_name_once(relay: Relay) -> None:
    assert relay.provider("DELETE", f"{ENTITIES}?region=eu&dryRun=true").status == 202
    repeated = relay.provider("DELETE", f"{ENTITIES}?region=eu&region=us")
    assert broken_rules(repeated) == [("region", "repeated_parameter")]
    assert broken_rules(relay.provider("DELETE", ENTITIES)) == [("", "properties")]


def test_jiras_calls_may_carry_unknown_parameters(relay: Relay) -> None:
    relay.install(ACME)

    answer = relay.jira(ACME, "GET", "/containers/search?searchQuery=a&lic=none&lic=none")

    assert answer.status == 200


def test_head_is_answered_for_jira_if_its_token_is_for_head(relay: Relay) -> None:
    relay.install(ACME)

    assert relay.jira(ACME, "HEAD", "/containers/search").status == 200


def test_head_is_answered_like_get_for_the_operations_tool(relay: Relay) -> None:
    for path, status in (
        ("/v1/workspaces/payments", 200),
        ("/v1/workspaces/payments/incidents/a%2Fb", 404),
        ("/v1/workspaces/payments/webhook", 200),
        ("/v1/sites", 200),
    ):
        get, head = relay.provider("GET", path), relay.provider("HEAD", path)
        assert (get.status, head.status, head.body) == (status, status, "")
        assert get.headers.keys() == head.headers.keys()
    assert relay.call("HEAD", "/v1/sites").status == 401
