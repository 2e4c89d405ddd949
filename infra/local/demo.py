"""`make demo`: the whole path on this machine, from the install to the last incident in Jira."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local.comparison import Key, differences, newest_states
from infra.local.failure import reported
from infra.local.feed import KINDS, State, parse_states, read_states
from infra.local.first_tenant import set_up
from infra.local.sample import sample_lines
from infra.local.screen import Screen
from infra.local.source_demo import checked_kind, run_source_demo
from infra.local.stack import temporary_stack
from infra.local.story import DELIVERY_SECONDS, Story, Submitted


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo. Exit code: 0 if Jira has everything, else 1."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--input", type=Path, help="a JSONL file of entities instead of the built-in sample"
    )
    parser.add_argument("--forge", action="store_true", help="install the app as a Forge app")
    what.add_argument("--source", help="let an operations tool's webhook send, such as pagerduty")
    given = parser.parse_args(arguments)
    screen = Screen()
    if given.source:
        return run_source_demo(checked_kind(given.source), screen, given.forge)
    states = read_states(given.input) if given.input else parse_states(sample_lines(), "sample")
    return _run(states, screen, given.forge)


def _run(states: Sequence[State], screen: Screen, by_forge: bool) -> int:
    with temporary_stack(report=screen.say) as stack:
        how = " with Forge" if by_forge else ""
        screen.say(f"Installing the app in a Jira site{how} and linking a workspace …")
        with Story(stack, set_up(stack, by_forge=by_forge), screen) as story:
            if by_forge:
                _show_installation(story)
            succeeded = run_story(story, states)
        screen.say("Stopping …")
    return 0 if succeeded else 1


def run_story(story: Story, states: Sequence[State]) -> bool:
    """Submits, waits and reports. True if Jira and the record have exactly what was submitted."""
    submitted = story.submit(states)
    expected = newest_states(submitted.accepted)
    in_time = story.wait_for_delivery(len(expected))
    return _report(story, submitted, expected, in_time)


def _report(
    story: Story, submitted: Submitted, expected: Mapping[Key, State], in_time: bool
) -> bool:
    screen = story.screen
    wrong = differences(expected, story.shown())
    recorded = story.recorded()
    screen.table(_figures(story, submitted, expected, recorded))
    _read_one_back(story, expected)
    is_as_installed = not story.tenancy.is_by_forge or _show_identity(story)
    if not in_time:
        screen.say(f"Not everything was delivered within {DELIVERY_SECONDS:.0f} s.")
    if submitted.rejected:
        screen.faults("Rejected by Relay, therefore not in Jira", submitted.rejected)
    if wrong:
        screen.faults("Differences between the submission and Jira", wrong)
    if recorded != len(expected):
        screen.say(f"The record holds {recorded} entities instead of {len(expected)}.")
    succeeded = in_time and not wrong and not submitted.rejected and recorded == len(expected)
    succeeded &= is_as_installed
    if succeeded:
        screen.say("Jira has every submitted entity once, in its newest state.")
    return succeeded


def _show_installation(story: Story) -> None:
    site = story.tenancy.site
    installation = site["forge"]["installationId"].rpartition("/")[2]
    story.screen.say(f"The Forge installation is {installation}")
    story.screen.say("The install delivered a system token, the hourly trigger a new one")
    story.screen.say(f"Relay calls Jira with it at {site['apiBaseUrl']}")


def _show_identity(story: Story) -> bool:
    """True if every call to Jira used Forge's credential."""
    calls = Counter(call["credential"] for call in story.calls())
    made = " and ".join(f"{count} as {name.title()}" for name, count in calls.items())
    story.screen.say(f"Relay calls the site as {story.credential_in_use().title()}; calls: {made}")
    return set(calls) == {"forge"}


def _read_one_back(story: Story, expected: Mapping[Key, State]) -> None:
    incidents = [entity_id for kind, entity_id in expected if kind == "incident"]
    if not incidents:
        return
    incident = story.read_back(incidents[-1])
    story.screen.say(f"Read back from Jira: {incident['id']}, {incident['status']}:")
    story.screen.say(f"  {incident['summary']}")
    story.screen.say("To keep such a stack and look at its Jira page, run `make up`.")


def _figures(
    story: Story, submitted: Submitted, expected: Mapping[Key, State], recorded: int
) -> list[tuple[str, str]]:
    kinds = Counter(kind for kind, _ in expected)
    entities = ", ".join(f"{count} {kind}s" for kind, count in kinds.items())
    return [
        ("States submitted", str(len(submitted.accepted) + len(submitted.rejected))),
        ("  accepted", str(len(submitted.accepted))),
        ("  rejected", str(len(submitted.rejected))),
        ("Entities", f"{len(expected)} ({entities})" if expected else "0"),
        ("  recorded", str(recorded)),
        ("  delivered", str(story.delivered())),
        *_call_figures(story),
        ("Seconds", f"{story.screen.seconds:.1f}"),
    ]


def _call_figures(story: Story) -> list[tuple[str, str]]:
    calls = story.calls()
    by_kind = [(f"  with {kind}s", sum(call[f"{kind}s"] > 0 for call in calls)) for kind in KINDS]
    others = len(calls) - sum(count for _, count in by_kind)
    rows = [("Calls to Jira", len(calls)), *by_kind, ("  others", others)]
    return [(name, str(count)) for name, count in rows]


if __name__ == "__main__":
    sys.exit(reported(main))
