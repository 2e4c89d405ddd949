"""The demo of a source: what it refuses, and which differences it finds."""

from dataclasses import replace

import pytest

from infra.local.failure import StackFailure
from infra.local.senders.deliveries import Shown
from infra.local.source_demo import checked_kind, differences
from relay.sources.tool import KINDS

SHOWN = Shown("pagerduty-P1", "open", "P1", "pagerduty-S1", "Checkout answers slowly")


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StackFailure) as failure:
        checked_kind("nagios")

    assert "nagios" in str(failure.value)
    assert all(kind in str(failure.value) for kind in KINDS)


def test_the_expected_incidents_do_not_differ() -> None:
    assert differences({SHOWN.id: SHOWN}, [SHOWN]) == []


@pytest.mark.parametrize(
    "shown",
    [[], [replace(SHOWN, status="resolved")], [SHOWN, replace(SHOWN, id="pagerduty-P2")]],
    ids=["missing", "another state", "one too many"],
)
def test_every_difference_is_found(shown: list[Shown]) -> None:
    assert len(differences({SHOWN.id: SHOWN}, shown)) == 1
