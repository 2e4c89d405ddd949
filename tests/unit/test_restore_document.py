"""docs/operator.md, "Restore": its commands stop and start what the template has."""

import re

import pytest

from tests.support.template import ROOT, document, resources

PAGE = (ROOT / "docs" / "operator.md").read_text("utf-8")
STEPS = PAGE[PAGE.index("\n## Restore\n") : PAGE.index("\n## Erase\n")]


def test_the_steps_are_in_their_order() -> None:
    """tests/integration/test_restore.py carries them out."""
    steps = re.findall(r"^\d\. \*\*([^*]+?)\.?\*\*", STEPS, re.MULTILINE)
    assert steps == [
        "Stop what delivers",
        "Restore and deploy",
        "Take away again what was taken away since T",
        "Bring the record up to date",
        "Start the submitter",
        "Start the rest",
        "Compare",
    ]


def test_what_it_stops_is_all_that_starts_by_itself() -> None:
    """By their type, and the sweeper's rule by the id that SAM makes of its function and event."""
    mappings = resources("AWS::Lambda::EventSourceMapping")
    assert {"SubmitterSource", "ReplayerSource", "WebhooksSource"} <= mappings.keys()
    # A deployment in between leaves them as they are, unless their properties change.
    assert not any("Enabled" in properties for properties in mappings.values())
    schedules = [
        f"{function}{event}"
        for function, properties in resources("AWS::Serverless::Function").items()
        for event, one in properties.get("Events", {}).items()
        if one["Type"] != "HttpApi"
    ]
    assert schedules == ["SweeperFunctionSweep"]


@pytest.mark.parametrize("logical_id", re.findall(r"id_of (\w+)", STEPS))
def test_a_resource_that_it_names_exists(logical_id: str) -> None:
    assert logical_id in {"SweeperFunctionSweep", *document()["Resources"]}
