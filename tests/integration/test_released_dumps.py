"""The dumps of released versions: the newest one holds all that this version can store and queue,
and the version before reads what this one writes.
"""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from relay import VERSION
from tests.golden.dump import (
    FOLDER,
    TABLES,
    data_keys,
    facts_of,
    items_of,
    messages_of,
    versions,
    write,
)
from tests.golden.kinds import item_kinds, kind_of
from tests.golden.messages import (
    DEAD_LETTERS,
    body_of,
    kinds_of,
    message_kinds,
    newest_formats,
)
from tests.golden.story import VARIABLES, tell
from tests.integration.relay_stage import Start
from tests.integration.simulator_stage import Simulator
from tests.support.template import ROOT

pytestmark = pytest.mark.usefixtures("every_shard")

NEWEST = versions()[-1]


def test_this_version_has_a_dump_and_a_section_in_the_changelog() -> None:
    assert NEWEST == VERSION
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(VERSION)} - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE)


def test_every_kind_of_item_is_in_the_newest_dump() -> None:
    dumped = {(table, kind_of(table, one)) for table in TABLES for one in items_of(NEWEST, table)}
    assert {(kind.table, kind.name) for kind in item_kinds()} == dumped


def test_every_kind_of_message_is_in_the_newest_dump() -> None:
    messages = [
        (one["queue"], body_of(one["queue"], one["content"]), one["attributes"])
        for one in messages_of(NEWEST)
    ]
    dumped = {
        kind
        for queue, body, _ in messages
        if queue != DEAD_LETTERS
        for kind in kinds_of(queue, body)
    }
    assert dumped == message_kinds()
    [attributes] = [names.keys() for queue, _, names in messages if queue == DEAD_LETTERS]
    assert attributes == {"reason", "workspaceId", "correlationId"}


def test_the_release_before_reads_what_a_release_queues() -> None:
    """A new format is read by one release, and queued from the next one on: a release that is
    rolled back leaves nothing that the one before can't process.
    """
    for before, after in pairwise(versions()):
        assert unread_formats(before, after) == []


def unread_formats(reader: str, writer: str) -> list[str]:
    """The queues with a message of the writer in a format that the reader does not know."""
    newest = facts_of(reader, {})["formats"]
    return [
        one["queue"]
        for one in messages_of(writer)
        if one["content"]["format"] > newest.get(one["queue"], newest["SUBMISSIONS_QUEUE"])
    ]


def test_the_formats_that_this_version_reads_are_in_its_dump() -> None:
    assert facts_of(NEWEST, {})["formats"] == newest_formats()


def test_what_older_code_reads_is_still_written(
    start: Start, simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside this version's code runs that of the version before: during a deployment, and after
    it is rolled back.
    """
    before = shapes(NEWEST)
    with data_keys() as keys:
        relay = start(simulator=simulator, **VARIABLES)
        told = tell(relay, simulator)
        write(relay.aws, tmp_path / "now", keys, told.facts, told.places)
    shutil.copytree(FOLDER / NEWEST, tmp_path / NEWEST)
    monkeypatch.setattr("tests.golden.dump.FOLDER", tmp_path)
    now = shapes("now")
    assert unread_formats(NEWEST, "now") == []
    assert {kind: attributes - now[kind] for kind, attributes in before.items()} == {
        kind: set() for kind in before
    }


def shapes(version: str) -> dict[str, set[tuple[str, str]]]:
    """The attributes, with their types, that all items of a kind have."""
    found: dict[str, set[tuple[str, str]]] = {}
    for table in TABLES:
        for item in items_of(version, table):
            attributes = {(name, next(iter(value))) for name, value in item.items()}
            kind = f"{table}: {kind_of(table, item)}"
            found[kind] = found.get(kind, attributes) & attributes
    return found
