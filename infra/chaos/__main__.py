"""`make chaos`: exits with 1 if anything is lost, stale, foreign or unexplained.

It prints its seed first. The seed determines every random choice, but not how the processes
interleave: it may take several runs to reproduce a finding.
"""

import argparse
import os
import sys
from collections import Counter
from random import SystemRandom
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.chaos.judge import WORKSPACES, Judge, Verdict
from infra.chaos.run import Run, prepared
from infra.chaos.settings import Settings
from infra.chaos.verdicts import AT_FAULT, DELETED, HELD, IS_REFUSED, UNKNOWN_PROJECTS, WRONG
from infra.harness.stage import stage
from infra.local.failure import reported
from infra.local.screen import Screen
from infra.local.stack import ending_in_order

_COLUMNS = (
    WORKSPACES,
    HELD,
    IS_REFUSED,
    UNKNOWN_PROJECTS,
    DELETED,
    AT_FAULT,
    *WRONG,
    "calls",
)
_SHOWN = 5
_COUNTS = ("seed", "entities", "sites", "workspaces", "rounds", "workers")
_RATES = ("kill_rate", "duplicate_rate", "aws_error_rate", "patience")


def main() -> int:
    """Returns the exit code: 0 if Relay settled in time and nothing is wrong."""
    settings, saved_log = _arguments()
    console = Console(highlight=False, soft_wrap=True, width=120)
    console.print(f"Seed {settings.seed}: {settings}", markup=False)
    screen = Screen(console)
    with ending_in_order(), stage(CONFIRM_PERCENT="1") as standing:
        screen.say(f"Started. The functions' log is {standing.log}")
        with prepared(settings, standing, screen) as run:
            settled = run.go()
            screen.say("Relay has settled." if settled else "Relay did not settle in time.")
            run.count_calls()
            verdict = Judge(run).verdict()
            _print(console, run, verdict)
            screen.say("Nothing was lost." if verdict.good else "SOMETHING IS WRONG.")
        if saved_log:
            standing.log.rename(saved_log)
    return 0 if settled and verdict.good else 1


def _arguments() -> tuple[Settings, str]:
    """An empty value counts as absent: make passes one for an unset variable."""
    parser = argparse.ArgumentParser(prog="python -m infra.chaos")
    for name in (*_COUNTS, *_RATES):
        parser.add_argument(f"--{name.replace('_', '-')}", default="")
    parser.add_argument("--log", default="", help="the file for the functions' log")
    given = vars(parser.parse_args())
    asked: dict[str, Any] = {name: int(given[name]) for name in _COUNTS if given[name]}
    asked |= {name: float(given[name]) for name in _RATES if given[name]}
    seed = asked.pop("seed", SystemRandom().randrange(1_000_000))
    return Settings(seed=seed, **asked), given["log"]


def _print(console: Console, run: Run, verdict: Verdict) -> None:
    table = Table("site", *_COLUMNS, box=None, padding=(0, 1))
    for name, counts in verdict.counts.items():
        counts["calls"] = run.calls[name]
        table.add_row(name, *(str(counts[column]) for column in _COLUMNS))
    console.print(table)
    ways = Counter(
        {
            "messages delivered twice": run.submissions.duplicated + run.replays.duplicated,
            "dead letters of replays": len(run.replays.dead),
        }
    )
    for title, thrown in (
        ("What happened", run.story.happened + ways),
        ("Faults of Jira, by calls affected", run.faults),
        ("AWS errors", run.fleet.aws_errors),
        ("Invocations", run.fleet.invoked),
        ("Killed", run.fleet.killed),
    ):
        listed = ", ".join(f"{name} {count}" for name, count in sorted(thrown.items()))
        console.print(f"{title} ({thrown.total()}): {listed}", markup=False)
    for finding in verdict.findings[:_SHOWN]:
        console.print(f"  {finding}", markup=False)
    why = Counter(f"{one.verdict}: {one.why}" for one in verdict.findings)
    for reason, count in why.most_common():
        console.print(f"{reason}: {count}", markup=False)


if __name__ == "__main__":
    status = reported(main)
    sys.stdout.flush()
    # The fork server ends with this process.
    os._exit(status) if status else sys.exit(0)
