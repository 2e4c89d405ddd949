"""`relay doctor`: every finding, and its advice."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from relay_cli.aws import Aws
from relay_cli.config import AwsAccess
from relay_cli.descriptor import problems
from relay_cli.troubles import TROUBLES
from tests.integration.cli_stage import (
    Cli,
    Ran,
    Replies,
    Reply,
    Stage,
    queue_outputs,
    replying,
    table_outputs,
    write_stack_file,
)
from tests.support.aws import REGION
from tests.support.aws_calls import aws_calls, client_error
from tests.support.entities import incident
from tests.support.template import ROOT

Finding = dict[str, str]
DESCRIPTOR = "/atlassian-connect.json"


def findings(ran: Ran) -> dict[str, list[Finding]]:
    """The findings by check."""
    found: dict[str, list[Finding]] = {}
    for finding in ran.json()["findings"]:
        found.setdefault(finding["check"], []).append(finding)
    return found


def levels(ran: Ran) -> dict[str, list[str]]:
    return {check: [one["level"] for one in all_of] for check, all_of in findings(ran).items()}


def site_check(stage: Stage) -> str:
    return f"site {stage.site.site.base_url.removeprefix('http://')}"


def write_stack(stage: Stage, **fields: Any) -> Path:
    """Write a stack file with the queues and tables of the emulated AWS."""
    document = {
        "api": stage.cli.url,
        "apiKey": stage.cli.key,
        "jira": stage.site.simulator.url,
        "outputs": queue_outputs(stage.relay.aws) | table_outputs(stage.relay.aws),
    }
    return write_stack_file(**document | fields)


def test_a_healthy_relay_is_reported_healthy(stage: Stage) -> None:
    stage.link()
    write_stack(stage)

    ran = stage.cli("doctor", "--json")

    assert ran.json()["ok"] is True
    assert levels(ran) == {
        "configuration": ["ok"],
        "api": ["ok"],
        "clock": ["ok"],
        "descriptor": ["ok"],
        "key": ["ok"],
        site_check(stage): ["ok"],
        "queue submissions": ["ok"],
        "queue replays": ["ok"],
        "queue notices": ["ok"],
        "dead letters submissions": ["ok"],
        "dead letters replays": ["ok"],
        "dead letters notices": ["ok"],
        "table tenants": ["ok"],
        "table catalog": ["ok"],
        "table record": ["ok"],
        "table API keys": ["ok"],
        "install keys": ["ok"],
    }
    said = stage.cli("doctor").out
    assert "17 ok, 0 warnings, 0 failed." in said
    assert "→" not in said


def test_without_aws_the_queues_are_reported_as_unchecked(stage: Stage) -> None:
    stage.link()

    ran = stage.cli("doctor")

    assert "queue" not in ran.out
    assert "--stack" in ran.err


def test_a_relay_that_does_not_answer_is_the_only_finding(cli: Cli) -> None:
    ran = cli("doctor", "--json", code=1)

    assert levels(ran) == {"configuration": ["ok"], "api": ["fail"]}
    assert "can't be reached" in ran.json()["findings"][1]["message"]
    assert "→" in cli("doctor", code=1).out


def test_a_missing_configuration_is_a_usage_error(cli: Cli) -> None:
    assert cli("doctor", "--json", code=2, RELAY_URL="").error_code == "config"


def test_a_file_that_others_can_read_is_a_warning(stage: Stage) -> None:
    stage.link()
    file = write_stack(stage)
    file.chmod(0o644)

    [found] = findings(stage.cli("doctor", "--json"))["configuration"]
    assert (found["level"], found["action"]) == ("warn", f"chmod 600 {file}")


def test_a_key_that_is_missing_or_unknown_fails(stage: Stage) -> None:
    missing = stage.cli("doctor", "--json", code=1, RELAY_KEY="")
    unknown = stage.cli("doctor", "--json", code=1, RELAY_KEY="relay_0123456789abcdef_no")

    assert levels(missing)["key"] == levels(unknown)["key"] == ["fail"]
    assert "relay keys make" in findings(unknown)["key"][0]["action"]


def test_a_key_for_some_workspaces_sees_their_sites(stage: Stage) -> None:
    key = stage.relay.key_for("operations")
    assert levels(stage.cli("doctor", "--json", RELAY_KEY=key))["sites"] == ["warn"]
    stage.link("others")
    assert levels(stage.cli("doctor", "--json", RELAY_KEY=key))["sites"] == ["warn"]
    stage.link()

    ran = stage.cli("doctor", "--json", RELAY_KEY=key)

    assert levels(ran)["key"] == levels(ran)[site_check(stage)] == ["ok"]
    assert "1 workspace linked on both sides" in findings(ran)[site_check(stage)][0]["message"]
    assert "others" not in ran.out
    stage.relay.links.unlink(stage.site.id, "others")
    assert levels(stage.cli("doctor", "--json", RELAY_KEY=key))[site_check(stage)] == ["ok"]


def test_a_site_without_the_app_is_a_warning(stage: Stage) -> None:
    stage.link()
    stage.site.simulator.control("POST", f"/sites/{stage.site.name}/uninstall").raise_for_status()

    [found] = findings(stage.cli("doctor", "--json"))[site_check(stage)]
    assert found["level"] == "warn"
    assert f"{stage.cli.url}/atlassian-connect.json" in found["action"]


def test_a_site_that_refuses_relays_token_fails_with_what_to_do(stage: Stage) -> None:
    stage.link()
    stage.site.simulator.control("POST", f"/sites/{stage.site.name}/uninstall").raise_for_status()
    # As if Relay had missed the uninstall.
    stage.relay.install(stage.site.site)

    [found] = findings(stage.cli("doctor", "--json", code=1))[site_check(stage)]
    assert "Jira answered 401" in found["message"]
    assert "install the app again" in found["action"]


def test_a_page_from_another_server_is_not_a_refusal_by_jira(stage: Stage) -> None:
    stage.link()
    page = {"kind": "error", "status": 403, "body": "<h1>Blocked</h1>"}
    stage.site.simulator.control(
        "PUT", f"/sites/{stage.site.name}/faults", {"faults": [page]}
    ).raise_for_status()

    [found] = findings(stage.cli("doctor", "--json", code=1))[site_check(stage)]
    assert "Something other than Jira answered 403" in found["message"]
    assert "scope" not in found["action"]


def test_links_that_differ_between_jira_and_relay_are_named(stage: Stage) -> None:
    for workspace in ("both", "here", "there"):
        stage.link(workspace)
    stage.cli("unlink", stage.site.id, "here")
    stage.relay.links.link(stage.site.id, "here")
    stage.relay.links.unlink(stage.site.id, "there")

    found = findings(stage.cli("doctor", "--json", code=1))[site_check(stage)]

    assert [one["level"] for one in found] == ["ok", "fail", "warn"]
    assert "here is linked in Relay, but not in Jira" in found[1]["message"]
    assert f"relay link {stage.site.id} here" in found[1]["action"]
    assert "there is linked in Jira, but not in Relay" in found[2]["message"]


def test_a_site_without_a_link_is_a_warning(stage: Stage) -> None:
    assert levels(stage.cli("doctor", "--json"))[site_check(stage)] == ["warn"]


def test_waiting_messages_are_fine_and_dead_letters_are_not(stage: Stage) -> None:
    stage.link()
    stage.relay.queue("operations", incidents=[incident()])
    file = write_stack(stage)
    dead = json.loads(file.read_text())["outputs"]["SubmissionsDeadLetters"]
    stage.relay.aws.sqs.send_message(QueueUrl=dead, MessageBody="poison")

    found = findings(stage.cli("doctor", "--json", code=1))

    assert found["queue submissions"][0]["level"] == "ok"
    assert "1 message waiting" in found["queue submissions"][0]["message"]
    assert found["dead letters submissions"][0]["level"] == "fail"
    assert "relay dlq list" in found["dead letters submissions"][0]["action"]


@pytest.mark.parametrize(("age", "level"), [(60, "ok"), (901, "warn")])
def test_the_age_of_the_oldest_message_is_shown_and_checked(
    stage: Stage, age: int, level: str
) -> None:
    stage.relay.put_workspace("operations")
    stage.relay.queue("operations", incidents=[incident()])
    write_stack(stage)
    name = stage.relay.aws.environment["SUBMISSIONS_QUEUE"].rpartition("/")[2]
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": name}],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
                "Value": age,
            }
        ],
    )

    [found] = findings(stage.cli("doctor", "--json"))["queue submissions"]
    assert found["level"] == level
    assert f"the oldest is {age} s old" in found["message"]


def test_a_refusal_by_aws_fails_the_check(stage: Stage) -> None:
    stage.link()
    write_stack(stage)
    with aws_calls() as calls:
        calls.before = _refuse_queues
        ran = stage.cli("doctor", "--json", code=1)

    [found] = findings(ran)["aws"]
    assert "AccessDenied" in found["message"]
    assert "credentials" in found["action"]


def test_another_apps_stack_fails_the_check(stage: Stage) -> None:
    stage.link()
    write_stack(stage, outputs={})

    assert "no queues" in findings(stage.cli("doctor", "--json", code=1))["aws"][0]["message"]


def test_an_emulated_aws_gets_placeholder_credentials_and_a_real_one_the_users() -> None:
    local = Aws(AwsAccess(endpoint="http://127.0.0.1:4566", region=REGION))
    real = Aws(AwsAccess(region=REGION))

    found = [aws._session.get_credentials() for aws in (local, real)]
    assert [one and one.access_key for one in found] == ["test", "testing"]


def test_unreachable_install_keys_are_a_warning(stage: Stage) -> None:
    stage.link()
    write_stack(stage, jira="http://127.0.0.1:9")

    [found] = findings(stage.cli("doctor", "--json"))["install keys"]
    assert found["level"] == "warn"


def test_a_failing_key_server_is_a_warning(stage: Stage) -> None:
    stage.link()
    with replying(Reply(500)) as server:
        write_stack(stage, jira=server.url)
        [found] = findings(stage.cli("doctor", "--json"))["install keys"]

    assert (found["level"], "500" in found["message"]) == ("warn", True)
    assert server.calls == [("GET", "/install-keys/relay-doctor")]
    # It is another app's.
    assert "Authorization" not in server.headers[0]


@contextmanager
def answering(replaced: str = "", reply: Reply | None = None, date: str = "") -> Iterator[Replies]:
    """A server that answers like a healthy Relay, except for the replaced path."""
    with replying(Reply()) as server:
        server.by_path = {
            "/health": Reply(body={"status": "ok"}),
            DESCRIPTOR: Reply(body=descriptor(server.url)),
            "/v1/workspaces": Reply(body={"workspaces": []}),
            "/v1/sites": Reply(body={"sites": []}),
        }
        server.by_path |= {replaced: reply} if reply else {}
        server.date = date
        yield server


def descriptor(url: str, **fields: Any) -> dict[str, Any]:
    text = (ROOT / "atlassian-connect.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document | {"baseUrl": url} | fields


def test_a_relay_without_sites_is_a_warning(cli: Cli) -> None:
    with answering() as server:
        ran = cli("doctor", "--json", RELAY_URL=server.url)

    assert levels(ran)["sites"] == ["warn"]


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, "ok"), (-20, "ok"), (60, "warn"), (-60, "warn"), (600, "fail"), (-600, "fail")],
)
def test_a_clock_difference_is_reported(cli: Cli, seconds: int, level: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    with answering(date=date) as server:
        ran = cli("doctor", "--json", code=int(level == "fail"), RELAY_URL=server.url)

    assert levels(ran)["clock"] == [level]


@pytest.mark.parametrize(
    ("path", "check"),
    [(DESCRIPTOR, "descriptor"), ("/v1/workspaces", "key"), ("/v1/sites", "sites")],
)
def test_a_failing_check_is_a_finding_and_the_others_still_run(
    cli: Cli, path: str, check: str
) -> None:
    with answering(path, Reply(500)) as server:
        ran = cli("doctor", "--json", code=1, RELAY_URL=server.url)

    assert levels(ran)[check] == ["fail"]
    assert levels(ran)["api"] == ["ok"]


@pytest.mark.parametrize(
    ("jira_status", "code"),
    [(401, "credential_refused"), (403, "access_refused"), (404, "nothing_there")],
)
def test_the_advice_depends_on_jiras_status_and_not_on_its_text(
    cli: Cli, jira_status: int, code: str
) -> None:
    error = {"code": "jira_refused", "message": "In other words.", "jiraStatus": jira_status}
    site = {"id": "first", "baseUrl": "https://first.atlassian.net", "state": "active"}
    with answering("/v1/sites", Reply(body={"sites": [site]})) as server:
        server.by_path["/v1/sites/first/workspaces"] = Reply(502, {"error": error})
        ran = cli("doctor", "--json", code=1, RELAY_URL=server.url)
        shown = cli("sites", "show", "first", "--json", code=3, RELAY_URL=server.url)

    [found] = findings(ran)["site first.atlassian.net"]
    assert found["action"] == TROUBLES[code][1]
    assert json.loads(shown.err)["error"]["jiraStatus"] == jira_status


def test_a_descriptor_for_another_url_fails(cli: Cli) -> None:
    other = Reply(body=descriptor("https://relay.example.com"))
    with answering(DESCRIPTOR, other) as server:
        ran = cli("doctor", "--json", code=1, RELAY_URL=server.url)

    [found] = findings(ran)["descriptor"]
    assert "baseUrl is https://relay.example.com" in found["message"]
    assert "BaseUrl" in found["action"]


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(document))
    *way, last = path.split(".")
    place = copy
    for name in way:
        place = place[name]
    del place[last]
    return copy


MODULE = "modules.jiraOperationsInfoProvider"


@pytest.mark.parametrize(
    "path",
    [
        "key",
        "name",
        "baseUrl",
        "authentication",
        "scopes",
        "lifecycle",
        "lifecycle.installed",
        "lifecycle.uninstalled",
        "apiMigrations",
        "apiMigrations.signed-install",
        "modules",
        MODULE,
        f"{MODULE}.key",
        f"{MODULE}.name",
        f"{MODULE}.homeUrl",
        f"{MODULE}.actions",
        f"{MODULE}.actions.fetchWorkspaces",
        f"{MODULE}.actions.searchContainers",
        f"{MODULE}.actions.onEntityAssociated",
        f"{MODULE}.actions.onEntityDisassociated",
    ],
)
def test_every_missing_part_of_a_descriptor_is_named(path: str) -> None:
    url = "https://relay.example.com"
    complete = descriptor(url)

    assert list(problems(complete, url)) == []
    found = " ".join(map(str, problems(without(complete, path), url)))
    assert path.rpartition(".")[2] in found


def test_a_missing_scope_of_a_descriptor_is_named() -> None:
    url = "https://relay.example.com"

    [found] = problems(descriptor(url, scopes=["READ"]), url)
    assert str(found) == "scopes lack DELETE, WRITE"


def _refuse_queues(operation: str) -> None:
    if operation == "GetQueueAttributes":
        raise client_error("AccessDenied")
