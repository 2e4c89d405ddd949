"""`relay import` of streams, and after a failure in the middle."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay_cli import importing, source_setup
from relay_cli.failure import Unavailable
from tests.integration.cli_stage import Stage
from tests.integration.export_stage import HEADER, NEW, entities_in, export_of, written
from tests.support.entities import incident

ALERTMANAGER = {"id": "am", "kind": "alertmanager", "settings": {}, "hasSecret": False}


def state(name: str) -> dict[str, Any]:
    return {"incident": incident(name), "properties": {}}


def source(name: str) -> dict[str, Any]:
    return {"source": ALERTMANAGER | {"id": name}}


def test_a_stream_that_is_cut_off_is_imported_as_far_as_it_goes(stage: Stage) -> None:
    content = written({"relayExport": HEADER}, state("inc-1"), state("inc-2"))
    ran = stage.cli("import", "-", "--workspace", NEW, stdin=content + b'{"incid', code=2)
    assert "ends early, after line 3" in ran.err
    assert "2 incidents" in ran.out
    stage.relay.run_queue()
    assert len(entities_in(stage, NEW)) == 2


def test_a_pipe_with_a_name_is_read_once(stage: Stage, tmp_path: Path) -> None:
    """As `relay import <(relay export …)` is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(export_of(state("inc-1")),))
    writer.start()
    stage.cli("import", str(pipe), "--workspace", NEW)
    writer.join()
    stage.relay.run_queue()
    assert len(entities_in(stage, NEW)) == 1


def test_a_byte_order_mark_is_skipped(stage: Stage, export_file: Callable[[bytes], str]) -> None:
    name = export_file(b"\xef\xbb\xbf" + export_of(state("inc-1")))
    stage.cli("import", name, "--workspace", NEW)


def failing_at(monkeypatch: pytest.MonkeyPatch, name: str, failure: BaseException) -> None:
    put = source_setup.put_source

    def fail(relay: Any, workspace_id: str, source_id: str, *rest: Any) -> dict[str, Any]:
        if source_id == name:
            raise failure
        return put(relay, workspace_id, source_id, *rest)

    monkeypatch.setattr(importing, "put_source", fail)


@pytest.mark.parametrize(
    ("failure", "code"), [(Unavailable("Down", "unreachable"), 3), (KeyboardInterrupt(), 130)]
)
def test_an_import_continues_at_the_line_that_it_names(
    stage: Stage,
    export_file: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    code: int,
) -> None:
    name = export_file(export_of(state("inc-1"), source("a"), source("b")))
    with monkeypatch.context() as broken:
        failing_at(broken, "b", failure)
        ran = stage.cli("import", name, "--workspace", NEW, code=code)
    # The URL of the first source is never shown again.
    assert "To do: enter the new URL of source a" in ran.out
    assert "Continue with --from-line 4." in ran.out
    stage.relay.waiting()

    ran = stage.cli("import", name, "--workspace", NEW, "--from-line", "4")
    assert "source b" in ran.out
    assert "Imported into workspace copied: 1 source." in ran.out
    assert stage.relay.waiting() == []


def test_a_url_is_shown_whatever_ends_the_import(
    stage: Stage, export_file: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = export_file(export_of(source("a"), source("b")))
    failing_at(monkeypatch, "b", Unavailable("Down", "unreachable"))
    ran = stage.cli("import", name, "--workspace", NEW, "--json", code=3).json()
    assert [one["id"] for one in ran["sources"]] == ["a"]
    assert ran["sources"][0]["url"].startswith("http")
    assert ran["fromLine"] == 3


def test_states_that_were_collected_are_left_until_they_are_submitted(
    stage: Stage, export_file: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = export_file(export_of(state("inc-1"), state("inc-2")))

    def fail(*_: Any) -> None:
        raise Unavailable("Down", "unreachable")

    with monkeypatch.context() as broken:
        broken.setattr(importing, "submit_feed", fail)
        ran = stage.cli("import", name, "--workspace", NEW, "--json", code=3).json()
    assert ran["fromLine"] == 2
