"""Loads on the simulated deployment: a quiet workspace beside a flood, and many sites."""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

from infra.bench.simulated_queue import Message
from infra.bench.simulated_submitter import CURRENT, Plan, Submitter
from infra.bench.simulation import Run, Settings, simulate

# Bytes of a compressed message: of one incident, and for each further one (bench cost).
_ONE, _FURTHER = 700, 130
QUIET, FLOOD = 0, 1
# The flood starts when the quiet workspace has been alone for this long, in seconds.
_ALONE = 20.0
# How long a run goes on after the last call: two visibility timeouts.
_AFTERWARDS = 720.0


@dataclass(frozen=True)
class Flood:
    """Calls of one workspace, each of so many entities; `rate` is a second, 0 is all at once."""

    name: str
    entities: int
    calls: int
    rate: float = 0.0

    def messages(self) -> list[Message]:
        """The calls."""
        step = 1 / self.rate if self.rate else 0.0
        return [
            _message(FLOOD, _ALONE + number * step, self.entities) for number in range(self.calls)
        ]


def freshness_of(messages: Iterable[Message]) -> list[float]:
    """Seconds, of each message that the API accepted; infinite for what is owed, or not delivered
    in the run."""
    accepted = [one for one in messages if one.accepted >= 0]
    return [one.freshness if one.delivered >= 0 else math.inf for one in accepted]


def quiet_beside(
    flood: Flood | None, given: Settings, runs: int, plan: Plan = CURRENT
) -> list[float]:
    """The freshness of a quiet workspace that sends one incident a second, while the flood's calls
    are sent and delivered, or alone; over so many seeded runs of two minutes."""
    found: list[Message] = []
    for seed in range(runs):
        chance = random.Random(seed)  # noqa: S311 - a simulation
        quiet = [_message(QUIET, second + chance.random()) for second in range(120)]
        sent = flood.messages() if flood else []
        process = Submitter(seed, plan).process
        simulate([*quiet, *sent], given, process, seed, 120 + _AFTERWARDS)
        # A message that returned to the queue does not prolong the flood.
        ends = [one.delivered for one in sent if one.receives == 1 and one.delivered < math.inf]
        found += [one for one in quiet if not flood or _ALONE <= one.called <= max(ends)]
    return freshness_of(found)


def spread_over(
    sites: int, rate: float, given: Settings, until: float, plan: Plan = CURRENT
) -> Run:
    """Incidents at this rate for so many seconds, over as many workspaces as sites, each linked to
    one. A workspace submits at most once a second, with what it has by then."""
    chance = random.Random(sites)  # noqa: S311 - a simulation
    each = rate / sites
    if each >= 1:
        starts = [chance.random() for _ in range(sites)]
        messages = [
            _message(site, second + starts[site], round(each))
            for second in range(int(until))
            for site in range(sites)
        ]
    else:
        messages = [
            _message(chance.randrange(sites), chance.random() * until)
            for _ in range(int(rate * until))
        ]
    return simulate(messages, given, Submitter(sites, plan).process, sites, until + _AFTERWARDS)


def _message(workspace: int, called: float, entities: int = 1) -> Message:
    return Message(workspace, called, entities, _ONE + (entities - 1) * _FURTHER)
