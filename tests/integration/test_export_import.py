"""`relay export` and `relay import`: a workspace's way into another workspace or deployment."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay_cli import importing
from relay_cli.export_file import ExportReader, Line
from relay_cli.feed import BadInput
from tests.integration.cli_stage import Cli, Ran, Reply, Stage, replying
from tests.integration.relay_stage import install_from
from tests.support.entities import incident, review

OLD, NEW = "operations", "copied"
WORKSPACE = {"id": OLD, "name": "Operations", "url": "https://ops.example.com/"}
HEADER = {"format": 1, "exportedAt": "2026-01-31T09:30:00Z", "workspace": WORKSPACE}
DELETION = {"kind": "incident", "id": "inc-1", "updateSequenceNumber": 5}
DELETED_AT = "2026-01-31T09:45:00.123+00:00"


def written(*documents: Any) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def export_of(*lines: dict[str, Any]) -> bytes:
    """A file as `relay export` writes it."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[next(iter(line))] = counts.get(next(iter(line)), 0) + 1
    return written({"relayExport": HEADER}, *lines, {"end": counts})


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], str]:
    def write(content: bytes) -> str:
        path = tmp_path / "export.jsonl"
        path.write_bytes(content)
        return str(path)

    return write


def fill(stage: Stage) -> None:
    """A workspace with everything that an export has."""
    relay = stage.relay
    relay.put_workspace(OLD)
    relay.provider(
        "POST",
        f"/v1/workspaces/{OLD}/containers",
        {
            "containers": [
                {
                    "id": f"services/{number}",
                    "name": f"Service {number}",
                    "url": "https://ops.example.com/services",
                    "lastUpdatedDate": "2026-01-31T09:30:00Z",
                }
                for number in range(2)
            ]
        },
    )
    relay.queue(
        OLD,
        incidents=[incident(), incident("inc-2", 2**62, summary="Größer \u2028 😀")],
        properties={"region": "eu"},
        providerMetadata={"product": "Ops Tool"},
    )
    relay.queue(OLD, incidents=[incident("inc-3", -4)], reviews=[review()])
    relay.run_queue()
    for path in ("incidents/inc-3", "incidents/never", "reviews/never"):
        assert relay.provider("DELETE", f"/v1/workspaces/{OLD}/{path}").status == 202
    relay.run_queue()


def entities_in(stage: Stage, workspace: str) -> dict[tuple[str, str], Any]:
    """Each recorded entity, without what belongs to this deployment alone."""
    listed = stage.relay.provider("GET", f"/v1/workspaces/{workspace}/entities").json()["entities"]
    found = {}
    for one in listed:
        path = f"/v1/workspaces/{workspace}/{one['kind']}s/{one['id']}"
        document = stage.relay.provider("GET", path).json()
        for own in ("recordedAt", "correlationId", "sites", "timeline"):
            document.pop(own, None)
        found[one["kind"], one["id"]] = document
    return found


def exported(stage: Stage, workspace: str = OLD) -> bytes:
    return stage.cli("export", workspace).out.encode()


def moved(stage: Stage, name: str, code: int = 0) -> Ran:
    return stage.cli("import", name, "--workspace", NEW, "--json", code=code)


# --- The whole way ---


def test_jira_ends_with_the_same_entities(stage: Stage, file: Callable[[bytes], str]) -> None:
    # GIVEN a workspace that a site shows
    fill(stage)
    stage.link()
    stage.relay.run_replays()
    # WHEN it is imported into another workspace, which is then linked to another site
    name = file(exported(stage))
    answer = moved(stage, name).json()
    stage.relay.run_queue()
    other = install_from(stage.relay, stage.site.simulator)
    stage.cli("link", other.id, NEW)
    stage.relay.run_replays()
    # THEN record, catalog and Jira are the same
    counts = {"container": 2, "incident": 2, "review": 1, "deletion": 3}
    assert answer["imported"] == counts
    assert entities_in(stage, NEW) == entities_in(stage, OLD)
    for kind in ("incident", "review"):
        assert other.held(kind) == stage.site.held(kind)
        assert other.products(kind) == stage.site.products(kind)
    assert other.held("incident").keys() == {"inc-1", "inc-2"}
    path = "/v1/workspaces/{}/containers"
    lists = [stage.relay.provider("GET", path.format(one)).json() for one in (OLD, NEW)]
    assert lists[0] == lists[1]
    assert stage.relay.provider("GET", f"/v1/workspaces/{NEW}").json()["name"] == OLD.title()
    # AND what the copy exports is what was imported
    assert sorted(exported(stage, NEW).splitlines()[1:]) == sorted(exported(stage).splitlines()[1:])


def test_importing_twice_is_importing_once(stage: Stage, file: Callable[[bytes], str]) -> None:
    fill(stage)
    name = file(exported(stage))
    moved(stage, name)
    stage.relay.run_queue()
    stage.relay.let_delays_pass()
    stage.relay.run_queue()
    stage.cli("link", stage.site.id, NEW)
    stage.relay.run_replays()
    before, shown = entities_in(stage, NEW), stage.site.held("incident")
    calls = len(stage.site.calls())

    moved(stage, name)

    stage.relay.run_queue()
    stage.relay.let_delays_pass()
    stage.relay.run_queue()
    assert entities_in(stage, NEW) == before
    assert stage.site.held("incident") == shown
    # Not even the deletions are sent again.
    assert len(stage.site.calls()) == calls


def test_a_newer_state_stays(stage: Stage, file: Callable[[bytes], str]) -> None:
    """In the new deployment, the tool has already gone on."""
    fill(stage)
    name = file(exported(stage))
    stage.relay.put_workspace(NEW)
    newer = incident("inc-1", 2, summary="Newer")
    again = incident("inc-3", -3, summary="Again")
    stage.relay.submit(NEW, incidents=[newer, again, incident("never", -(2**63))])

    moved(stage, name)

    stage.relay.run_queue()
    found = entities_in(stage, NEW)
    assert found["incident", "inc-1"]["entity"] == newer
    assert found["incident", "inc-3"]["entity"] == again
    assert found["incident", "never"]["deleted"] is False
    assert found["incident", "inc-2"] == entities_in(stage, OLD)["incident", "inc-2"]


def test_a_second_export_brings_what_happened_since_the_first(
    stage: Stage, file: Callable[[bytes], str]
) -> None:
    fill(stage)
    moved(stage, file(exported(stage)))
    stage.relay.run_queue()
    stage.relay.submit(OLD, incidents=[incident("inc-1", 7), incident("inc-4")])
    stage.cli("delete", OLD, "rev-1", "--review")
    moved(stage, file(exported(stage)))
    stage.relay.run_queue()
    assert entities_in(stage, NEW) == entities_in(stage, OLD)


def test_a_deletion_keeps_its_sequence_and_its_time(stage: Stage) -> None:
    """So a state is restored by the same states as where it was deleted."""
    stage.relay.put_workspace(NEW)
    path = f"/v1/workspaces/{NEW}/deletions"
    deletion = DELETION | {"deletedAt": DELETED_AT}
    for expected in (1, 0):
        answer = stage.relay.provider("POST", path, {"deletions": [deletion]})
        assert (answer.status, answer.json()) == (202, {"deleted": expected})
    page = stage.relay.provider("GET", f"/v1/workspaces/{NEW}/export").json()
    assert page == {"incidents": [], "reviews": [], "deletions": [deletion]}

    stage.relay.submit(NEW, incidents=[incident(sequence=5)])
    assert entities_in(stage, NEW)["incident", "inc-1"]["deleted"] is True

    stage.relay.submit(NEW, incidents=[incident(sequence=6)])
    assert entities_in(stage, NEW)["incident", "inc-1"]["deleted"] is False
    # The deletion is older than that state.
    assert stage.relay.provider("POST", path, {"deletions": [deletion]}).json() == {"deleted": 0}


def test_a_deletion_from_the_future_does_not_refuse_every_state(stage: Stage) -> None:
    stage.relay.put_workspace(NEW)
    deletion = DELETION | {"deletedAt": "9999-12-31T23:59:59Z"}
    path = f"/v1/workspaces/{NEW}/deletions"
    assert stage.relay.provider("POST", path, {"deletions": [deletion]}).status == 202
    page = stage.relay.provider("GET", f"/v1/workspaces/{NEW}/export").json()
    assert page["deletions"][0]["deletedAt"] < "2100"


def test_an_imported_deletion_reaches_a_linked_site(
    stage: Stage, file: Callable[[bytes], str]
) -> None:
    stage.link(NEW)
    stage.relay.submit(NEW, incidents=[incident(sequence=5)])
    assert stage.site.held("incident")
    moved(stage, file(export_of({"deletion": DELETION | {"deletedAt": DELETED_AT}})))
    stage.relay.run_queue()
    assert not stage.site.held("incident")


def test_pages_of_any_size_give_the_same_lines(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(stage)
    whole = sorted(exported(stage).splitlines()[1:])
    for name, value in (("EXPORT_ENTITIES_MAX", 1), ("EXPORT_BYTES_MAX", 1)):
        with monkeypatch.context() as limited:
            function = stage.relay.gateway.functions["entities"]
            limited.setattr(function, name, value)
            assert sorted(exported(stage).splitlines()[1:]) == whole


def test_a_pipe_needs_no_file(stage: Stage) -> None:
    fill(stage)
    stage.cli("import", "-", "--workspace", NEW, stdin=exported(stage))
    stage.relay.run_queue()
    assert entities_in(stage, NEW) == entities_in(stage, OLD)


def test_states_with_the_same_properties_share_a_call(
    stage: Stage, file: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they are mixed; and a call holds no more than is collected."""
    lines = [
        {"incident": incident(f"inc-{number}"), "properties": {"team": "ab"[number % 2]}}
        for number in range(10)
    ]
    name = file(export_of(*lines))
    moved(stage, name)
    assert len(stage.relay.waiting()) == 2
    monkeypatch.setattr(importing, "_COLLECTED_BYTES_MAX", 1)
    moved(stage, name)
    assert len(stage.relay.waiting()) == 10


# --- Sources and webhook ---


def test_sources_get_new_urls_and_lack_their_secrets(
    stage: Stage, file: Callable[[bytes], str]
) -> None:
    fill(stage)
    secret = "the secret that PagerDuty shows"
    made = ("sources", "add", OLD, "pd", "--kind", "pagerduty", "--component", "db")
    stage.cli(*made, RELAY_SOURCE_SECRET=secret)
    stage.cli("sources", "add", OLD, "am", "--kind", "alertmanager")
    stage.cli("workspaces", "webhook", "put", OLD, "https://example.com/hook")
    content = exported(stage)
    assert b"PagerDuty shows" not in content
    assert b"whsec" not in content

    name = file(content)
    ran = stage.cli("import", name, "--workspace", NEW)

    assert f"relay sources secret {NEW} pd" in ran.out
    assert f"relay sources secret {NEW} am" not in ran.out
    assert f"relay workspaces webhook put {NEW} https://example.com/hook" in ran.out
    for source in ("pd", "am"):
        path = "/v1/workspaces/{}/sources/" + source
        old, new = (stage.relay.provider("GET", path.format(one)).json() for one in (OLD, NEW))
        assert (old["kind"], old["settings"]) == (new["kind"], new["settings"])
    # Another import does not touch them.
    assert moved(stage, name).json()["sources"] == []


def test_a_source_of_an_unknown_kind_is_an_error_after_everything_else(
    stage: Stage, file: Callable[[bytes], str]
) -> None:
    source = {"id": "x", "kind": "newer", "settings": {}, "hasSecret": False}
    name = file(export_of({"incident": incident(), "properties": {}}, {"source": source}))
    ran = moved(stage, name, code=2)
    assert "There is no kind 'newer'" in ran.err
    stage.relay.run_queue()
    assert entities_in(stage, NEW)


# --- What goes wrong ---


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a file of `relay export`"),
        (b"\x00\xff\n", "line 1"),
        (written({"incident": incident()}), "not a file of `relay export`"),
        (b'{"relayExport": {"format": 1', "not a file of `relay export`"),
        (written({"relayExport": HEADER | {"format": 2}}), "has the format 2"),
        (written({"relayExport": {"format": 1}}), "the workspace is missing"),
        (written({"relayExport": HEADER}), "ends early, after line 1"),
        (export_of({"incident": incident()})[:-1], "ends early, after line 2"),
        (export_of({"incident": incident()})[:-40], "ends early"),
        (export_of({"incident": incident()}) + b"{}\n", "is not as it was written"),
        (export_of({"other": {}}), "line 2: expected one of"),
        (export_of({"incident": 1}), "line 2: expected one of"),
        (export_of({"incident": {}, "review": {}}), "line 2: expected one of"),
        (export_of({"source": {}}), "line 2: id is missing or damaged"),
        (export_of({"source": {"id": "x", "kind": "datadog"}}), "line 2: settings is missing"),
        (export_of({"webhook": {"url": None}}), "line 2: url is missing or damaged"),
        (export_of({"incident": incident(), "properties": []}), "line 2: properties is missing"),
        (export_of({"incident": incident(), "acceptedAt": 1}), "line 2: acceptedAt is missing"),
        (written({"relayExport": HEADER}, [], {}), "line 2: expected a JSON object"),
        (written({"relayExport": HEADER}, {}, {"end": {}}), "line 2: expected one of"),
        (written({"relayExport": HEADER}, {"end": {"incident": 1}}), "is not as it was written"),
        (written({"relayExport": HEADER}) + b"x" * 2**20, "line 2 is longer than any"),
    ],
)
def test_a_file_that_is_no_complete_export_imports_nothing(
    cli: Cli, file: Callable[[bytes], str], content: bytes, words: str
) -> None:
    """The command's Relay is unreachable: any call would be another error."""
    ran = cli("import", file(content), code=2)
    assert words in ran.err


def test_a_stream_that_is_interrupted_says_how_much_was_imported(stage: Stage) -> None:
    line = {"container": {"id": "a", "name": "A", "url": "https://example.com"}}
    line["container"]["lastUpdatedDate"] = DELETED_AT
    content = written({"relayExport": HEADER}, *[line] * 200)
    ran = stage.cli("import", "-", "--workspace", NEW, stdin=content, code=2)
    assert "ends early, after line 201" in ran.err
    assert f"Imported into workspace {NEW}: 1 container." in ran.out
    assert "Not all is imported. Continue with --from-line 202." in ran.out


def test_a_rejected_entity_does_not_keep_out_the_others(
    stage: Stage, file: Callable[[bytes], str]
) -> None:
    bad = {"incident": incident("inc-2", status="lost"), "properties": {}}
    name = file(export_of({"incident": incident(), "properties": {}}, bad))
    ran = stage.cli("import", name, "--workspace", NEW, code=1)
    assert "line 3, incident inc-2" in ran.out
    stage.relay.run_queue()
    assert entities_in(stage, NEW).keys() == {("incident", "inc-1")}


def test_a_failure_halfway_is_told_and_the_import_can_be_repeated(
    stage: Stage, file: Callable[[bytes], str]
) -> None:
    deletion = {"deletion": DELETION | {"deletedAt": "yesterday"}}
    state = {"incident": incident("inc-2"), "properties": {}}
    ran = moved(stage, file(export_of(state, deletion)), code=1)
    assert "deletions[0].deletedAt" in ran.err
    deletion["deletion"]["deletedAt"] = DELETED_AT
    moved(stage, file(export_of(state, deletion)))
    stage.relay.run_queue()
    assert len(entities_in(stage, NEW)) == 2


def test_an_unknown_workspace_is_not_exported(stage: Stage) -> None:
    ran = stage.cli("export", "nowhere", "--json", code=1)
    assert (ran.out, ran.error_code) == ("", "unknown_workspace")


def test_a_key_without_access_exports_and_imports_nothing(
    stage: Stage, file: Callable[[bytes], str]
) -> None:
    fill(stage)
    name = file(exported(stage))
    other = Cli(stage.cli.url, stage.relay.key_for("other"))
    assert other("export", OLD, code=4).out == ""
    other("import", name, code=4)
    own = Cli(stage.cli.url, stage.relay.key_for(NEW))
    own("import", name, "--workspace", NEW)


def test_a_relay_that_fails_during_the_export_leaves_no_end(cli: Cli) -> None:
    empty = Reply(body={"containers": []})
    with replying(Reply(body={"id": OLD, "name": "O", "url": "https://example.com"})) as server:
        server.by_path = {
            f"/v1/workspaces/{OLD}": server.replies[0],
            f"/v1/workspaces/{OLD}/containers": empty,
            f"/v1/workspaces/{OLD}/export": Reply(500),
        }
        ran = Cli(server.url, cli.key)("export", OLD, code=3)
    assert "relayExport" in ran.out
    assert '"end"' not in ran.out


def test_a_full_disk_is_an_error(stage: Stage) -> None:
    stage.relay.put_workspace(OLD)
    environment = os.environ | {"RELAY_URL": stage.cli.url, "RELAY_KEY": stage.cli.key}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2] / "cli")
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "relay_cli", "export", OLD],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
            text=True,
        )
    assert ran.returncode == 1
    assert "No space left on device. The file is incomplete." in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


def test_a_missing_file_is_an_error(cli: Cli) -> None:
    assert "can't be read" in cli("import", "nowhere.jsonl", code=2).err


def test_a_reader_needs_memory_for_one_line_only() -> None:
    class Endless(io.RawIOBase):
        """An export that never ends."""

        lines = 0

        def readline(self, _: int | None = -1, /) -> bytes:
            self.lines += 1
            return written({"relayExport": HEADER} if self.lines == 1 else {"container": {}})

    stream: Any = Endless()
    reader = ExportReader(stream, "stream")
    reader.workspace()
    lines = reader.lines()
    assert [next(lines).number for _ in range(3)] == [2, 3, 4]
    assert stream.lines == 4


def test_every_cut_of_a_file_is_recognized() -> None:
    content = export_of(
        {"container": {"id": "a"}},
        {"incident": incident(), "properties": {}},
        {"deletion": DELETION},
        {"source": {"id": "x", "kind": "datadog", "settings": {}, "hasSecret": False}},
    )
    for length in range(len(content)):
        reader = ExportReader(io.BytesIO(content[:length]), "cut")
        with pytest.raises(BadInput):
            lines_of(reader)
    reader = ExportReader(io.BytesIO(content), "whole")
    assert [line.kind for line in lines_of(reader)] == [
        "container",
        "incident",
        "deletion",
        "source",
    ]


def lines_of(reader: ExportReader) -> list[Line]:
    reader.workspace()
    return list(reader.lines())
