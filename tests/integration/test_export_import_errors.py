"""What goes wrong with `relay export` and `relay import`: damaged files, failures, no access."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay_cli.export_file import ExportReader, Line
from relay_cli.feed import BadInput
from tests.integration.cli_stage import Cli, Reply, Stage, replying
from tests.integration.export_stage import (
    DELETED_AT,
    DELETION,
    HEADER,
    NEW,
    OLD,
    entities_in,
    export_of,
    exported,
    fill,
    moved,
    written,
)
from tests.support.entities import incident


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
    cli: Cli, export_file: Callable[[bytes], str], content: bytes, words: str
) -> None:
    """The command's Relay is unreachable: any call would be another error."""
    ran = cli("import", export_file(content), code=2)
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
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    bad = {"incident": incident("inc-2", status="lost"), "properties": {}}
    name = export_file(export_of({"incident": incident(), "properties": {}}, bad))
    ran = stage.cli("import", name, "--workspace", NEW, code=1)
    assert "line 3, incident inc-2" in ran.out
    stage.relay.run_queue()
    assert entities_in(stage, NEW).keys() == {("incident", "inc-1")}


def test_a_failure_halfway_is_told_and_the_import_can_be_repeated(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    deletion = {"deletion": DELETION | {"deletedAt": "yesterday"}}
    state = {"incident": incident("inc-2"), "properties": {}}
    ran = moved(stage, export_file(export_of(state, deletion)), code=1)
    assert "deletions[0].deletedAt" in ran.err
    deletion["deletion"]["deletedAt"] = DELETED_AT
    moved(stage, export_file(export_of(state, deletion)))
    stage.relay.run_queue()
    assert len(entities_in(stage, NEW)) == 2


def test_an_unknown_workspace_is_not_exported(stage: Stage) -> None:
    ran = stage.cli("export", "nowhere", "--json", code=1)
    assert (ran.out, ran.error_code) == ("", "unknown_workspace")


def test_a_key_without_access_exports_and_imports_nothing(
    stage: Stage, export_file: Callable[[bytes], str]
) -> None:
    fill(stage)
    name = export_file(exported(stage))
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
