"""Everything that the documents name exists, and everything they must name is there."""

import re
from pathlib import Path

import pytest
import typer.main

from relay.delivery.decisions import NOT_JIRA, SUSPENDED, TABLE, Row
from relay.telemetry import Metric
from relay_cli.app import app
from tests.support.template import ROOT, functions, routes, template

CONTRACT = (ROOT / "docs/contract.md").read_text("utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text("utf-8")
RELIABILITY = (ROOT / "docs/reliability.md").read_text("utf-8")
COMMANDS = (ROOT / "docs/commands.md").read_text("utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("infra/*/README.md")]


def commands() -> list[tuple[str, str]]:
    """Each command with the first paragraph of its help."""
    found = []
    waiting = [("relay", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        below = getattr(command, "commands", {})
        waiting += [(f"{name} {part}", one) for part, one in below.items()]
        if not below:
            summary = (command.help or "").split("\n\n")[0].replace("\n", " ")
            found.append((name, summary.rstrip(".")))
    return sorted(found)


@pytest.mark.parametrize("proof", sorted(set(re.findall(r"`(tests/[^`]+)`", CONTRACT))))
def test_every_test_named_in_the_contract_exists(proof: str) -> None:
    path, _, name = proof.partition("::")
    assert (ROOT / path).exists()
    if name:
        assert f"def {name}(" in (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize("parameter", sorted(template()["Parameters"]))
def test_every_parameter_is_documented(parameter: str) -> None:
    assert f"`{parameter}`" in SETTINGS


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_is_documented(metric: Metric) -> None:
    assert f"`{metric.value.name}`" in SETTINGS


@pytest.mark.parametrize(("command", "summary"), commands())
def test_every_command_is_documented(command: str, summary: str) -> None:
    assert f"| `{command}` | {summary} |" in COMMANDS


@pytest.mark.parametrize("row", [*TABLE, SUSPENDED, NOT_JIRA], ids=lambda row: row.code)
def test_the_decision_table_is_documented(row: Row) -> None:
    suspect = "yes" if row.suspect else "no"
    line = f"| {row.answer} | {row.means} | {row.reaction} | `{row.code}` | {suspect} |"
    assert line in RELIABILITY


def test_every_jira_call_is_in_the_contract() -> None:
    provider = {"descriptor", "workspaces", "links", "entities", "keys", "submissions", "replays"}
    provider |= {"webhooks", "sources", "source_events"}
    for function in functions().keys() - provider:
        for _, path in routes(function):
            assert path in CONTRACT, (function, path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_resolves(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", document.read_text("utf-8"))
    for link in links:
        assert (document.parent / link).exists(), link


def anchors(document: Path) -> set[str]:
    """As GitHub forms them of the document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    texts = (re.sub(r"\]\([^)]*\)", "", heading).lower() for heading in headings)
    return {re.sub(r"[^\w -]", "", text).replace(" ", "-") for text in texts}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_chapter_resolves(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", document.read_text("utf-8"))
    for file, anchor in links:
        target = document.parent / file if file else document
        if target.suffix == ".md":
            assert anchor in anchors(target), (file, anchor)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_named_make_target_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`make ([a-z][a-z-]*)", document.read_text("utf-8"))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
