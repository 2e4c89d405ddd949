"""`relay submit`: its input, requests, output and exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from relay_cli.api import Relay
from relay_cli.feed import BODY_BYTES_MAX, Feed, parse_feed, split
from relay_cli.submit import REJECTED_SHOWN, submit_feed
from tests.integration.cli_stage import (
    Cli,
    Reply,
    Stage,
    replying,
)
from tests.support.entities import incident, review


def lines(*entities: dict[str, Any]) -> bytes:
    named = ({"review" if "reviews" in one else "incident": one} for one in entities)
    return "\n".join(map(json.dumps, named)).encode() + b"\n"


def document(*entities: dict[str, Any], **fields: Any) -> bytes:
    incidents = [one for one in entities if "reviews" not in one]
    reviews = [one for one in entities if "reviews" in one]
    return json.dumps({"incidents": incidents, "reviews": reviews} | fields, indent=2).encode()


@pytest.mark.parametrize("form", [lines, document])
def test_a_file_in_either_format_is_submitted(stage: Stage, tmp_path: Path, form: Any) -> None:
    stage.link()
    file = tmp_path / "entities"
    file.write_bytes(form(incident(), review()))

    ran = stage.cli("submit", "operations", str(file), "--json")

    answer = ran.json()
    assert (answer["accepted"], answer["rejected"]) == (2, 0)
    assert [one["kind"] for one in answer["verdicts"]] == ["incident", "review"]
    stage.relay.run_queue()
    assert stage.site.held("incident").keys() == {"inc-1"}
    assert stage.site.held("review").keys() == {"rev-1"}
    # The printed id finds the submission everywhere.
    status = stage.cli("status", "operations", "inc-1", "--json").json()
    assert status["correlationId"] == answer["correlationId"]


def test_piped_input_is_submitted_with_its_properties(stage: Stage) -> None:
    stage.link()
    content = document(incident(), properties={"team": "a", "env": "test"})

    ran = stage.cli("submit", "operations", "-", "--property", "env=prod", stdin=content)

    assert ran.out == "1 accepted, 0 rejected.\n"
    stage.relay.run_queue()
    status = stage.cli("status", "operations", "inc-1", "--json").json()
    assert status["properties"] == {"team": "a", "env": "prod"}


def test_a_rejected_entity_is_named_by_its_line_and_affects_no_other(stage: Stage) -> None:
    stage.link()
    content = lines(incident(), incident("inc-2", status="on fire"), review(), {"id": 7})

    ran = stage.cli("submit", "operations", "-", stdin=content, code=1)

    assert ran.out.startswith("2 accepted, 2 rejected.\n")
    assert "line 2, incident inc-2" in ran.out
    assert "incidents[1].status: Input should be" in ran.out
    assert "line 4, incident 7" in ran.out


def test_a_rejected_entity_in_a_document_is_named_by_its_path(stage: Stage) -> None:
    stage.link()
    content = document(incident(), review("rev-1", status="no"), review("rev-2"))

    ran = stage.cli("submit", "operations", "-", "--json", stdin=content, code=1)

    rejected = [one for one in ran.json()["verdicts"] if one["verdict"] == "rejected"]
    assert [(one["kind"], one["index"], one["id"]) for one in rejected] == [("review", 0, "rev-1")]
    assert [detail["path"] for detail in rejected[0]["details"]] == ["reviews[0].status"]


def test_only_some_of_many_rejections_are_shown(stage: Stage) -> None:
    stage.link()
    content = lines(*[incident(f"inc-{n}", status="no") for n in range(REJECTED_SHOWN + 5)])

    shown = stage.cli("submit", "operations", "-", stdin=content, code=1).out

    assert shown.count("Rejected:") == REJECTED_SHOWN
    assert "… and 5 more" in shown


def test_a_dry_run_submits_nothing(stage: Stage) -> None:
    stage.link()
    content = lines(incident(), incident("inc-2", status="no"))

    ran = stage.cli("submit", "operations", "-", "--dry-run", stdin=content, code=1)
    assert "1 would be accepted, 1 rejected. Nothing was submitted." in ran.out
    as_json = stage.cli("submit", "operations", "-", "--dry-run", "--json", stdin=lines(incident()))
    assert as_json.json()["dryRun"] is True
    stage.relay.run_queue()
    assert stage.cli("list", "operations", "--json").json() == {"entities": []}


def test_a_file_of_any_size_is_split(stage: Stage, tmp_path: Path) -> None:
    stage.link()
    many = [incident(f"inc-{n}", description="x" * 5000) for n in range(1700)]
    many[1650]["status"] = "no"
    file = tmp_path / "many.jsonl"
    file.write_bytes(lines(*many))
    assert file.stat().st_size > 2 * BODY_BYTES_MAX

    ran = stage.cli("submit", "operations", str(file), "--json", code=1)

    answer = ran.json()
    assert (answer["accepted"], answer["rejected"]) == (1699, 1)
    assert [one["index"] for one in answer["verdicts"]] == list(range(1700))
    [bad] = [one for one in answer["verdicts"] if one["verdict"] == "rejected"]
    # The position in the file, not in the third body.
    assert (bad["id"], bad["line"]) == ("inc-1650", 1651)
    assert bad["details"][0]["path"] == "incidents[1650].status"


def test_bodies_fill_the_limit_preserve_the_order_and_carry_the_properties() -> None:
    many = [incident(f"inc-{n}", description="x" * 5000) for n in range(1700)]
    feed = parse_feed(document(*many, properties={"team": "a" * 255}), "a test")

    bodies = [one.body() for one in split(feed.states, feed.properties)]

    assert len(bodies) == 3
    assert all(BODY_BYTES_MAX - 6000 < len(body) <= BODY_BYTES_MAX for body in bodies[:-1])
    parsed = [json.loads(body) for body in bodies]
    assert [one for body in parsed for one in body["incidents"]] == many
    assert {body["properties"]["team"] for body in parsed} == {"a" * 255}


def test_an_entity_too_large_for_a_body_is_rejected_by_the_command(stage: Stage) -> None:
    stage.link()
    content = lines(incident("inc-0", description="x" * BODY_BYTES_MAX), incident())

    ran = stage.cli("submit", "operations", "-", stdin=content, code=1)

    assert ran.out.startswith("1 accepted, 1 rejected.\nRejected: line 1, incident inc-0\n")


def test_a_body_with_too_many_errors_for_one_response_is_halved(stage: Stage) -> None:
    stage.link()
    # Ten findings each: more than 50,000 in one body.
    content = b'{"incident": {}}\n' * 6000 + lines(incident())

    ran = stage.cli("submit", "operations", "-", "--json", stdin=content, code=1)

    assert (ran.json()["accepted"], ran.json()["rejected"]) == (1, 6000)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "contains no incident"),
        (b"\n\n", "contains no incident"),
        (b"{}", "contains no incident"),
        (b'{"incidents": []}', "contains no incident"),
        (b"\xff", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "expected"),
        (b'{"alerts": []}', "expected"),
        (b'{"incidents": 7}', "incidents must be a list"),
        (b'{"incidents": [{}], "properties": []}', "properties must be an object"),
        (b'{\n"incidents": [{},\n]}', "line 3: not JSON"),
        (b'{"incident": {}}\n{"incident": {}\n', "line 2: not JSON"),
        (b'{"incident": {}, "review": {}}', "line 1: expected"),
        (b'{"incident": {"id": NaN}}', "NaN is not a JSON value"),
        (b'{"incident": {"id": 1e999}}', "not JSON"),
        (b"[" * 200_000, "not JSON"),
    ],
)
def test_invalid_input_is_refused_before_anything_is_sent(
    cli: Cli, content: bytes, why: str
) -> None:
    ran = cli("submit", "operations", "-", "--json", stdin=content, code=2)

    assert ran.error_code == "bad_input"
    assert why in json.loads(ran.err)["error"]["message"]


def test_a_lone_surrogate_rejects_its_own_entity_only(stage: Stage) -> None:
    stage.link()
    bad = incident("inc-2", summary="cut \ud83d")
    content = "\n".join(json.dumps({"incident": one}) for one in (incident(), bad)).encode()

    ran = stage.cli("submit", "operations", "-", stdin=content, code=1)

    assert ran.out.startswith("1 accepted, 1 rejected.\nRejected: line 2, incident inc-2\n")


def test_null_counts_as_absent_and_provider_metadata_is_sent() -> None:
    content = {"incidents": [incident()], "reviews": None, "properties": None}
    feed = parse_feed(
        json.dumps(content | {"providerMetadata": {"product": "Ops Tool"}}).encode(), "a test"
    )

    (submission,) = split(feed.states, feed.properties, feed.metadata)

    assert json.loads(submission.body()) == {
        "incidents": [incident()],
        "providerMetadata": {"product": "Ops Tool"},
    }
    assert all(json.loads(half.body())["providerMetadata"] for half in submission.halves())


def test_a_byte_order_mark_and_windows_line_endings_are_accepted() -> None:
    content = b"\xef\xbb\xbf" + lines(incident(), incident("inc-2")).replace(b"\n", b"\r\n")

    assert [state.id for state in parse_feed(content, "a test").states] == ["inc-1", "inc-2"]


def test_a_document_on_one_line_is_not_read_as_jsonl() -> None:
    content = json.dumps({"incidents": [incident()]}).encode()

    [state] = parse_feed(content, "a test").states
    assert (state.line, state.place) == (0, "incidents[0]")


def test_a_missing_file_is_named(cli: Cli) -> None:
    assert "none.jsonl can't be read" in cli("submit", "w", "none.jsonl", code=2).err


@pytest.mark.parametrize("pair", ["env", "=prod", ""])
def test_a_property_needs_a_name_and_a_value(cli: Cli, pair: str) -> None:
    cli("submit", "w", "-", "--property", pair, stdin=lines(incident()), code=2)


def test_an_unknown_workspace_accepts_nothing(stage: Stage) -> None:
    ran = stage.cli("submit", "nothing", "-", "--json", stdin=lines(incident()), code=1)

    assert ran.error_code == "unknown_workspace"
    assert ran.json()["accepted"] == 0
    said = stage.cli("submit", "nothing", "-", stdin=lines(incident()), code=1).out
    assert said == "0 accepted, 0 rejected.\n1 were refused as a whole.\n"


def test_a_key_for_another_workspace_is_refused(stage: Stage) -> None:
    stage.link()
    key = stage.relay.key_for("other")

    stage.cli("submit", "operations", "-", stdin=lines(incident()), RELAY_KEY=key, code=4)


def accepted(*ids: str) -> Reply:
    verdicts = [
        {"kind": "incident", "index": index, "id": name, "verdict": "accepted"}
        for index, name in enumerate(ids)
    ]
    answer = {"submissionId": "s", "accepted": len(ids), "rejected": 0, "verdicts": verdicts}
    return Reply(202, answer)


def feed_of_two_bodies() -> Feed:
    large = [incident(f"inc-{n}", description="x" * 3_000_000) for n in range(2)]
    return parse_feed(lines(*large), "a test")


def test_entities_that_relay_could_not_queue_are_named_and_the_rest_is_not_sent() -> None:
    error = {
        "code": "not_queued",
        "message": "Not all entities could be queued; submit these again.",
        "details": [{"path": "incidents[0]", "rule": "not_queued", "message": "was not taken"}],
    }
    waits: list[float] = []
    messages: list[str] = []
    with (
        replying(Reply(503, {"error": error})) as server,
        Relay(server.url, None, "id", messages.append, sleep=waits.append) as relay,
    ):
        submitted = submit_feed(relay, "operations", feed_of_two_bodies())

    # A submission is safe to repeat, so the command did.
    assert (len(server.calls), waits) == (3, [1, 2])
    assert "busy (503)" in messages[0]
    assert submitted.failure
    assert submitted.failure.exit_code == 3
    assert [state.id for state in submitted.not_accepted] == ["inc-0"]
    assert submitted.not_sent == 1


def test_entities_that_could_not_be_queued_are_listed(cli: Cli) -> None:
    details = [{"path": "reviews[0]", "rule": "not_queued", "message": "was not taken"}]
    error = {"code": "not_queued", "message": "Not all could be queued.", "details": details}
    content = lines(incident(), review())
    # Longer than the command waits.
    with replying(Reply(503, {"error": error}, [("Retry-After", "999")])) as server:
        ran = cli("submit", "w", "-", stdin=content, RELAY_URL=server.url, code=3)

    assert "1 entity could not be accepted:\n  line 2, review rev-1\n" in ran.out
    assert "reviews[0]: was not taken (not_queued)" in ran.err


def test_a_recovered_relay_accepts_everything() -> None:
    busy = Reply(429, {"message": "Too Many Requests"}, [("Retry-After", "7")])
    waits: list[float] = []
    with (
        replying(busy, accepted("inc-0"), busy, busy, accepted("inc-1")) as server,
        Relay(server.url, None, "id", lambda _: None, sleep=waits.append) as relay,
    ):
        submitted = submit_feed(relay, "operations", feed_of_two_bodies())

    assert waits == [7, 7, 7]
    assert {headers["Content-Encoding"] for headers in server.headers} == {"gzip"}
    assert submitted.failure is None
    assert [one["index"] for one in submitted.verdicts] == [0, 1]


def test_an_interrupted_submission_reports_what_was_accepted() -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with (
        replying(accepted("inc-0"), Reply(503)) as server,
        Relay(server.url, None, "id", lambda _: None, sleep=stop) as relay,
    ):
        submitted = submit_feed(relay, "operations", feed_of_two_bodies())

    assert submitted.accepted == 1
    assert [state.id for state in submitted.not_accepted] == ["inc-1"]
    assert submitted.failure
    assert submitted.failure.exit_code == 130


def test_entities_accepted_before_a_failure_are_reported(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "two.jsonl"
    file.write_bytes(lines(*[incident(f"inc-{n}", description="x" * 3_000_000) for n in range(2)]))
    with replying(accepted("inc-0"), Reply(500, {})) as server:
        said = cli("submit", "w", str(file), RELAY_URL=server.url, code=3)
        server.replies = [accepted("inc-0"), Reply(500, {})]
        as_json = cli("submit", "w", str(file), "--json", RELAY_URL=server.url, code=3)

    assert "1 accepted, 0 rejected." in said.out
    assert "1 were sent, but Relay did not confirm them" in said.out
    assert "Submit the same file again" in said.out
    assert "in Relay's logs" in said.err
    assert as_json.json()["notTaken"] == [{"kind": "incident", "index": 1, "id": "inc-1"}]
    assert as_json.json()["notSent"] == 0
    assert as_json.error_code == "http_500"
