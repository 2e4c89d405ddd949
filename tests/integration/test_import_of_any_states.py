"""Whatever two workspaces hold, an import leaves the newer state or deletion of each entity."""

import json
import math
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.cli_stage import Stage
from tests.support.entities import incident, review

KINDS = {"incident": incident, "review": review}
# A submitted state with this sequence, or a deletion.
changes = st.one_of(st.integers(-1, 2), st.none())
histories = st.dictionaries(
    st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from("ab")),
    st.lists(changes, min_size=1, max_size=3),
)


@given(old=histories, new=histories)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_import_leaves_the_newer_of_both(
    stage: Stage, tmp_path: Path, old: Any, new: Any
) -> None:
    source, target = uuid4().hex, uuid4().hex
    fill(stage, source, old, "old")
    fill(stage, target, new, "new")
    held, before = entities_of(stage, source), entities_of(stage, target)
    expected = {
        key: newer_of(held.get(key), before.get(key)) for key in held.keys() | before.keys()
    }
    file = tmp_path / "export.jsonl"
    file.write_bytes(stage.cli("export", source).out.encode())

    for _ in range(2):
        stage.cli("import", str(file), "--workspace", target)
        stage.relay.run_queue()
        assert entities_of(stage, target) == expected


def fill(stage: Stage, workspace: str, histories: Any, summary: str) -> None:
    stage.relay.put_workspace(workspace)
    for (kind, name), history in histories.items():
        for change in history:
            if change is None:
                path = f"/v1/workspaces/{workspace}/{kind}s/{name}"
                assert stage.relay.provider("DELETE", path).status == 202
            else:
                entity = KINDS[kind](name, change, summary=summary)
                stage.relay.submit(workspace, **{f"{kind}s": [entity]})


def entities_of(stage: Stage, workspace: str) -> dict[tuple[str, str], Any]:
    """(sequence, whether it is deleted, summary) of each entity."""
    found = {}
    for line in map(json.loads, stage.cli("export", workspace).out.splitlines()):
        if "deletion" in line:
            one = line["deletion"]
            sequence = one.get("updateSequenceNumber", -math.inf)
            found[one["kind"], one["id"]] = (sequence, True, "")
        for kind in KINDS.keys() & line.keys():
            one = line[kind]
            found[kind, one["id"]] = (one["updateSequenceNumber"], False, one["summary"])
    return found


def newer_of(old: Any, new: Any) -> Any:
    """A deletion is newer than each state that was submitted before, and all old ones were; of two
    states with one sequence, the one that was there first stays."""
    if old is None or new is None:
        return old or new
    if new[1] and not old[1]:
        return new
    return old if old[:2] > new[:2] and (old[0] > new[0] or old[1]) else new
