"""The demo's input: read line by line, split to Relay's limits, compared with what Jira shows."""

import hashlib
import json
from functools import partial
from pathlib import Path

import pytest

from infra.local import demo
from infra.local.comparison import differences, newest_states
from infra.local.failure import StackFailure, reported
from infra.local.feed import BODY_BYTES_MAX, parse_states, read_states, split
from infra.local.sample import INCIDENTS, REVIEWS, sample_lines
from infra.local.story import Story
from tests.e2e.states import incidents
from tests.support.entities import incident, review

SAMPLE_DIGEST = "04de9b7c5250756271eb14bcb5448bb0"


def test_the_sample_is_the_same_on_every_machine() -> None:
    text = "".join(f"{line}\n" for line in sample_lines())

    assert hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() == SAMPLE_DIGEST


def test_the_sample_has_several_states_of_some_entities_in_time_order() -> None:
    states = parse_states(sample_lines(), "sample")

    assert len(newest_states(states)) == INCIDENTS + REVIEWS
    assert len(states) > 3000
    times = [state.entity["lastUpdated"] for state in states]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ('{"incident": {"id": NaN}}', "not JSON"),
        ("[]", "expected"),
        ('{"incident": {}, "review": {}}', "expected"),
        ('{"alert": {}}', "expected"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str, why: str) -> None:
    file = tmp_path / "states.jsonl"
    file.write_text(json.dumps({"incident": incident()}) + f"\n\n{line}\n")

    with pytest.raises(StackFailure, match=f"line 3: {why}"):
        read_states(file)


def test_a_lone_surrogate_is_left_for_relay_to_refuse(tmp_path: Path) -> None:
    file = tmp_path / "states.jsonl"
    file.write_text('{"incident": {"id": "\\ud800"}}\n')

    [state] = read_states(file)

    assert state.text == b'{"id":"\\ud800"}'


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff"])
def test_a_file_without_states_ends_the_demo_before_it_starts(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "states.jsonl"
    file.write_bytes(content)

    assert reported(partial(demo.main, ["--input", str(file)])) == 1
    assert str(file) in capsys.readouterr().err


def test_a_missing_file_ends_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(partial(demo.main, ["--input", str(tmp_path / "none")])) == 1
    assert "can't be read" in capsys.readouterr().err


def test_submissions_fill_the_limit_and_preserve_the_order() -> None:
    large = incident(description="x" * 5000)
    states = incidents(*[large | {"id": f"inc-{number}"} for number in range(2000)])

    submissions = list(split(states))

    sizes = [len(submission.body()) for submission in submissions]
    assert [state for submission in submissions for state in submission.states] == states
    assert max(sizes) <= BODY_BYTES_MAX
    assert min(sizes[:-1]) > BODY_BYTES_MAX - 6000


def test_every_difference_from_the_submission_is_named() -> None:
    expected = newest_states(incidents(*[incident(f"inc-{number}", 2) for number in range(5)]))
    shown = [incident("inc-0", 2), incident("inc-1", 1), incident("inc-2", 2, summary="Another")]
    shown += [incident("inc-3", 2), incident("inc-3", 2), incident("inc-9", 2)]

    found = differences(expected, {"incident": shown, "review": [review()]})

    assert [str(difference) for difference in found] == [
        "incident inc-1: Jira shows sequence 1, the newest is 2",
        "incident inc-2: differs in summary",
        "incident inc-3: is there twice",
        "incident inc-4: is missing in Jira",
        "incident inc-9: was not submitted",
        "review rev-1: was not submitted",
    ]


def test_a_demo_with_a_rejected_entity_fails_and_names_it(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = incident("inc-1"), incident("inc-2", status="on fire")

    assert not demo.run_story(story, incidents(good, bad))

    said = capsys.readouterr().out
    assert "line 2, incident inc-2: incidents[1].status" in said
    assert "Entities 1" in " ".join(said.split())
