"""The benchmarks' statistics, cost model and document."""

import re
from dataclasses import replace

import pytest

from infra.bench.__main__ import BENCHMARKS
from infra.bench.cost_model import HTTP_API_REQUEST, WRITE_UNIT, Usage, Work, parts
from infra.bench.document import DOCUMENT, renewed
from infra.bench.result import Figure, Result, Table, at_least, at_most, figure, number, ratio

# --- Statistics ---


def test_a_figure_is_the_median_between_its_quartiles() -> None:
    assert figure([5, 1, 4, 2, 3]) == Figure(3, 2, 4)
    assert figure([7]) == Figure(7, 7, 7)
    assert figure([1, 3]).median == 2


def test_one_slow_run_moves_no_median() -> None:
    assert figure([2, 2, 2, 2, 900]).median == 2


def test_a_ratio_compares_runs_of_the_same_round() -> None:
    # The machine was three times slower in the second round, for both.
    assert ratio([2, 6, 2], [1, 3, 1]) == Figure(2, 2, 2)
    with pytest.raises(ValueError, match="zip"):
        ratio([1, 2], [1])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "1"), (0.1234, "0.123"), (2.5, "2.50"), (24.26, "24.3"), (1234.5, "1,234")],
)
def test_a_number_has_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_figure_that_varied_shows_its_spread() -> None:
    assert str(figure([1, 2, 3])) == "2 (1.50 to 2.50)"
    assert str(figure([2, 2])) == "2"


def test_a_target_is_met_by_the_median() -> None:
    found = figure([1, 2, 9])
    assert at_most("", found, 2).met
    assert not at_most("", found, 1.9).met
    assert at_least("", found, 2).met
    assert not at_least("", found, 2.1).met


def test_a_target_without_a_peer_is_neither_met_nor_missed() -> None:
    assert at_least("", None, 1).met is None


# --- Cost ---

USAGE = Usage(
    entities=1000,
    accepting=Work(1769, cpu_ms=10, waiting_ms=8),
    delivering=Work(512, cpu_ms=100, waiting_ms=1200),
    body_bytes=800_000,
    message_bytes=130_000,
    write_units=2500,
    receipt_units=1,
    read_units=8,
    stored_bytes=1_200_000,
    log_bytes=2000,
)


def test_no_part_needs_more_than_it_costs_and_the_total_is_their_sum() -> None:
    *found, total = parts(USAGE).values()
    assert [one for one in found if not 0 <= one[1] <= one[0]] == []
    assert total == pytest.approx((sum(one[0] for one in found), sum(one[1] for one in found)))


def test_requests_are_billed_by_chunks() -> None:
    # A thousand submissions of two chunks of 512 KiB each.
    assert parts(USAGE)["API Gateway"][0] == pytest.approx(1000 * 2 * HTTP_API_REQUEST)
    smaller = replace(USAGE, body_bytes=500_000)
    assert parts(smaller)["API Gateway"][0] == pytest.approx(1000 * HTTP_API_REQUEST)
    # Sent and received in two chunks, deleted once; a message group adds cost to each sent chunk.
    assert parts(USAGE)["SQS"][0] == pytest.approx(1000 * (5 * 0.4 + 2 * 0.1) / 1_000_000)


def test_a_transaction_costs_twice_the_writes_and_needs_half() -> None:
    dollars, needed = parts(USAGE)["DynamoDB, writes (transactions)"]
    assert dollars == pytest.approx(2 * 2500 * 1000 * WRITE_UNIT)
    assert needed == pytest.approx(dollars / 2)


@pytest.mark.parametrize(("memory_mb", "billed_ms"), [(1769, 100), (3000, 100), (512, 346)])
def test_a_small_function_has_a_share_of_a_core(memory_mb: int, billed_ms: int) -> None:
    assert Work(memory_mb, cpu_ms=100, waiting_ms=0).billed_ms == billed_ms


def test_waiting_time_is_billed_and_needed() -> None:
    assert USAGE.delivering.billed_ms == 346 + 1200
    dollars, needed = parts(USAGE)["Lambda, delivering it"]
    assert needed / dollars == pytest.approx(1200 / 1546)


def test_a_million_single_submissions_cost_a_million_requests() -> None:
    found = parts(replace(USAGE, entities=1, body_bytes=900, message_bytes=700))
    assert found["API Gateway"][0] == pytest.approx(1.00)
    assert found["Lambda, requests"][0] == pytest.approx(0.40)


# --- The document ---

RESULT = Result(
    [Table("By size", ("size", "made|needed"), [("1", "24 of 23"), ("2", r"\1")])],
    [at_most("Jira", figure([1]), 1), at_least("peers", None, 2)],
)
TEXT = """\
| benchmark | what |
|---|---|
| calls |
| search | time |

<!-- calls -->
old
<!-- end of calls -->

By hand.

<!-- search -->
<!-- end of search -->
"""


def test_a_benchmark_updates_only_its_own_targets_and_tables() -> None:
    text = renewed(TEXT, "calls", RESULT)
    targets = (
        "|---|---|\n"
        "| calls | Jira | 1 × | ≤ 1 × | yes |\n"  # noqa: RUF001
        "| calls | peers | not installed here | ≥ 2 × |  |\n"  # noqa: RUF001
        "| search | time |\n"
    )
    tables = "By size:\n\n| size | made\\|needed |\n|---|---|\n| 1 | 24 of 23 |\n| 2 | \\1 |\n"
    assert targets in text
    assert f"<!-- calls -->\n\n{tables}" in text
    assert "old" not in text
    assert text.endswith("By hand.\n\n<!-- search -->\n<!-- end of search -->\n")
    assert renewed(text, "calls", RESULT) == text


def test_a_benchmark_missing_from_the_document_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 places for growth"):
        renewed(TEXT, "growth", RESULT)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_document_has_a_place_for_every_benchmark(name: str) -> None:
    text = DOCUMENT.read_text("utf-8")
    assert renewed(text, name, Result([])) != text
    assert f"({name})\n" in text


def test_every_missed_target_is_explained() -> None:
    text = DOCUMENT.read_text("utf-8")
    missed = re.findall(r"^\| \w+ \| ([^|]+) \|.*\| no \|$", text, re.MULTILINE)

    assert [what for what in missed if f"\n| {what} |" not in text] == []
