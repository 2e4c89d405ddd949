"""The benchmarks' statistics, cost model, plots and document."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from infra.bench.cost_model import Assumed, Function, Usage, parts
from infra.bench.document import DOCS, TRIED, markdown, plots, write_document
from infra.bench.figures import Figure, figure, ratio
from infra.bench.prices import LISTED
from infra.bench.result import Bar, Bars, Lines, Result, Table, at_least, at_most, number, spread

SVG = "{http://www.w3.org/2000/svg}"

# --- Statistics ---


def test_a_figure_is_the_median_between_its_quartiles() -> None:
    assert figure([5, 1, 4, 2, 3]) == Figure(3, 2, 4, 5)
    assert figure([7]) == Figure(7, 7, 7, 1)
    assert figure([1, 3]).median == 2


def test_one_slow_run_moves_no_median() -> None:
    assert figure([2, 2, 2, 2, 900]).median == 2


def test_a_ratio_is_of_the_runs_of_the_same_turn() -> None:
    # The machine was three times slower in the second turn, for both.
    assert ratio([2, 6, 2], [1, 3, 1]) == Figure(2, 2, 2, 3)
    with pytest.raises(ValueError, match="zip"):
        ratio([1, 2], [1])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "1"), (0.1234, "0.123"), (2.5, "2.50"), (24.26, "24.3"), (1234.5, "1,234")],
)
def test_a_number_has_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_what_varied_is_shown_with_its_spread() -> None:
    assert spread(figure([1, 2, 3])) == "2 (1.50 to 2.50)"
    assert spread(figure([2, 2])) == "2"


def test_a_target_is_met_by_the_median() -> None:
    found = figure([1, 2, 9])
    assert at_most("", found, 2).met
    assert not at_most("", found, 1.9).met
    assert at_least("", found, 2).met
    assert not at_least("", found, 2.1).met


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert at_least("", None, 1).met is None


# --- Cost ---

USAGE = Usage(
    entities=1000,
    taking=Function(1769, cpu_ms=10, sends=1),
    delivering=Function(512, cpu_ms=100, transactions=20, jira=1),
    body_bytes=800_000,
    message_bytes=130_000,
    write_units=2500,
    read_units=8,
    stored_bytes=1_200_000,
    log_bytes=2000,
    jira_bytes=800_000,
)
NOTHING_ASSUMED = Assumed(0, 0, 0, 0, 0, 0, 0)


def dollars(usage: Usage, name: str) -> float:
    [found] = [one.dollars for one in parts(usage) if one.name.startswith(name)]
    return found


def test_each_part_is_named_once_and_none_needs_more_than_it_costs() -> None:
    found = parts(USAGE)
    assert len({one.name for one in found}) == len(found)
    assert all(0 <= one.needed <= one.dollars for one in found)


def test_requests_are_billed_by_chunks() -> None:
    # A thousand submissions of two chunks of 512 KiB each.
    assert dollars(USAGE, "API Gateway") == pytest.approx(1000 * 2 * LISTED.http_api_request)
    smaller = replace(USAGE, body_bytes=500_000)
    assert dollars(smaller, "API Gateway") == pytest.approx(1000 * LISTED.http_api_request)
    # Sent and received in two chunks, deleted at once; a group costs more for each chunk sent.
    assert dollars(USAGE, "SQS") == pytest.approx(1000 * (5 * 0.4 + 2 * 0.1) / 1_000_000)


def test_a_transaction_writes_at_twice_the_price_and_half_of_it_is_needed() -> None:
    [writes] = [one for one in parts(USAGE) if "writes" in one.name]
    assert writes.dollars == pytest.approx(2 * 2500 * 1000 * LISTED.dynamodb_write_unit)
    assert writes.needed == pytest.approx(writes.dollars / 2)


def test_a_small_function_has_a_share_of_a_core() -> None:
    assert Function(1769, cpu_ms=100).billed_ms(NOTHING_ASSUMED) == 100
    assert Function(3000, cpu_ms=100).billed_ms(NOTHING_ASSUMED) == 100
    assert Function(512, cpu_ms=100).billed_ms(NOTHING_ASSUMED) == 346


def test_waiting_for_others_is_billed_and_needed() -> None:
    assumed = replace(NOTHING_ASSUMED, transaction_ms=40, jira_ms=400)
    assert USAGE.delivering.billed_ms(assumed) == 346 + 20 * 40 + 400
    [time] = [one for one in parts(USAGE, assumed=assumed) if "delivering" in one.name]
    assert time.needed / time.dollars == pytest.approx(1200 / 1546)


def test_a_submission_of_one_costs_its_requests_a_million_times() -> None:
    single = replace(USAGE, entities=1, body_bytes=900, message_bytes=700)
    assert dollars(single, "API Gateway") == pytest.approx(1.00)
    assert dollars(single, "Lambda, requests") == pytest.approx(0.40)


# --- The document ---

RESULT = Result(
    "calls",
    "Calls & more",
    "How it was measured.",
    [Table("By size", ("size", "made|needed"), [("1", "24 of 23")])],
    [at_most("Jira", figure([1]), 1), at_least("peers", None, 2)],
    [Bars("calls", "Calls <made>", "ms", [Bar("Relay", 2, 1, 3, True), Bar("a loop", 1, 1, 1)])],
    [Lines("calls-growth", "Growth", "ms", "entities", (10, 100), {"a": (1, 1), "b": (0, 2)})],
    notes=["What to keep in mind."],
    facts={"calls": 24.0},
)


def test_a_result_is_read_back_as_it_was_kept() -> None:
    kept = json.loads(json.dumps(RESULT.document()))
    assert Result.of(kept).document() == kept
    assert markdown([("2 cores", Result.of(kept))]) == markdown([("2 cores", RESULT)])


def test_the_document_has_what_was_measured_and_what_is_to_be_reached() -> None:
    text = markdown([("2 cores", RESULT)])
    for part in (
        "## Calls & more (calls)",
        "| [calls](#calls--more-calls) | Jira | 1 × | ≤ 1 × | yes |",  # noqa: RUF001
        "| [calls](#calls--more-calls) | peers | not measured: not installed here | ≥ 2 × |  |",  # noqa: RUF001
        "| size | made\\|needed |\n|---|---|\n| 1 | 24 of 23 |",
        "![Calls <made>](performance/calls.svg)",
        "![Growth](performance/calls-growth.svg)",
        "What to keep in mind.",
        ": 2 cores.",
    ):
        assert part in text


def test_a_plot_is_svg_with_each_label_and_value() -> None:
    drawn = dict(plots(RESULT))
    assert set(drawn) == {"calls", "calls-growth"}
    bars = ElementTree.fromstring(drawn["calls"])  # noqa: S314 (ours)
    texts = [one.text for one in bars.iter(f"{SVG}text")]
    assert texts == ["Calls <made> (ms)", "Relay", "2", "a loop", "1"]
    # The background, and a bar twice as long as the other.
    _, ours, other = bars.iter(f"{SVG}rect")
    assert float(ours.get("width", "")) == pytest.approx(
        2 * float(other.get("width", "")), rel=0.01
    )
    lines = ElementTree.fromstring(drawn["calls-growth"])  # noqa: S314 (ours)
    assert len(list(lines.iter(f"{SVG}circle"))) == 4


def test_a_run_of_one_benchmark_renews_its_part_alone(tmp_path: Path) -> None:
    order = ["deliver", "calls"]
    write_document([RESULT, replace(RESULT, name="deliver", title="Delivery")], order, tmp_path)
    renewed = replace(RESULT, about="Measured anew.")
    text = write_document([renewed], order, tmp_path).read_text("utf-8")
    assert "Measured anew." in text
    assert text.index("## Delivery (deliver)") < text.index("## Calls & more (calls)")
    assert text.count("How it was measured.") == 1
    assert (tmp_path / "performance" / "calls.svg").exists()


def test_what_is_not_reached_is_explained() -> None:
    kept = json.loads((DOCS / "performance" / "results.json").read_text("utf-8"))
    missed = [
        target["what"]
        for result in kept.values()
        for target in result["targets"]
        if target["met"] is False
    ]
    explained = TRIED.read_text("utf-8")
    assert [what for what in missed if f"| {what} |" not in explained] == []
