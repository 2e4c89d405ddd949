"""The built-in sample: 2,500 incidents and 40 reviews of an operations team.

It has the same bytes on every machine: a fixed seed, a fixed start, and only `Random.random()`,
whose sequence Python guarantees. `python -m infra.local.sample` prints it, one state per line.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from infra.local.sample_text import (
    REGIONS,
    REVIEW_SUMMARY,
    REVIEW_TEXT,
    SERVICES,
    STORIES,
    Story,
)

SEED = 20260105
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
INCIDENTS = 2500
REVIEWS = 40
PROJECTS = ("OPS", "WEB", "PAY")
SEVERITIES = ("P1", "P2", "P3", "P3", "P4", "P4", "P4", "P5")
MINUTES_BETWEEN = 90

# The shares of incidents with several states in the sample. Most have only the last one.
SHARE_OF_TWO_STATES = 0.18
SHARE_OF_MORE_STATES = 0.06
SHARE_STILL_OPEN = 0.04
SHARE_WITH_ISSUES = 0.3

T = TypeVar("T")
Document = dict[str, Any]


@dataclass(frozen=True)
class State:
    """One line of the sample: an entity's state at the time `at`."""

    at: datetime
    kind: str
    entity: Document

    def line(self) -> str:
        """The state as one line of JSON, without the newline."""
        return json.dumps({self.kind: self.entity}, ensure_ascii=False, separators=(",", ":"))


def sample_lines() -> list[str]:
    """The sample's lines of JSON in the order of time."""
    states = sorted(_states(Random(SEED)), key=lambda state: state.at)  # noqa: S311 - not a secret
    return [state.line() for state in states]


def _states(random: Random) -> Iterator[State]:
    reviewed = 0
    for number in range(1, INCIDENTS + 1):
        case = _Case(random, number)
        yield from case.incident_states()
        if reviewed < REVIEWS and case.deserves_review:
            reviewed += 1
            yield from case.review_states(f"pir-{reviewed:03}")


class _Case:
    """One incident: its story, its times, and its review."""

    def __init__(self, random: Random, number: int) -> None:
        self.random = random
        self.id = f"inc-{number:05}"
        drift = int(random.random() * MINUTES_BETWEEN)
        self.opened = START + timedelta(minutes=number * MINUTES_BETWEEN + drift)
        self.service = pick(random, SERVICES)
        self.story = pick(random, STORIES)
        self.severity = pick(random, SEVERITIES)
        self.values = {
            "service": self.service,
            "region": pick(random, REGIONS),
            "number": str(2 + int(random.random() * 40)),
        }
        self.minutes = self._minutes()
        self.is_open = random.random() < SHARE_STILL_OPEN
        self.components = self._components()
        self.associations = self._associations()

    @property
    def deserves_review(self) -> bool:
        return self.severity == "P1" and not self.is_open

    def incident_states(self) -> Iterator[State]:
        """The incident's last states. A resolved incident ends with all four steps."""
        last = 2 if self.is_open else 4
        first = max(1, last + 1 - self._count_of_states())
        for steps in range(first, last + 1):
            at = self.opened + timedelta(minutes=self.minutes[steps - 1])
            yield State(at, "incident", self._incident(at, steps))

    def review_states(self, review_id: str) -> Iterator[State]:
        """The states of the incident's review, up to three."""
        steps = (("in progress", 1), ("outstanding actions", 3), ("completed", 12))
        for status, days in steps[: 1 + int(self.random.random() * len(steps))]:
            at = self.opened + timedelta(days=days)
            yield State(at, "review", self._review(review_id, at, status))

    def _incident(self, at: datetime, steps: int) -> Document:
        resolved = steps == 4
        document: Document = {
            "schemaVersion": "1.0",
            "id": self.id,
            "updateSequenceNumber": milliseconds(at),
            "affectedComponents": self.components,
            "summary": self._fill(self.story.summary),
            "description": self._description(steps),
            "url": f"https://operations.example/incidents/{self.id}",
            "createdDate": timestamp(self.opened),
            "lastUpdated": timestamp(at),
            "severity": {"level": self.severity},
            "status": "resolved" if resolved else "open",
        }
        if self.associations:
            document["associations"] = self.associations
        return document

    def _description(self, steps: int) -> str:
        story: Story = self.story
        steps_taken = (
            f"Alert: {story.alert}",
            f"Looking into it; the on-call team of `{self.service}` has it.",
            f"Found: {story.finding}",
            f"Resolved: {story.remedy}",
        )
        lines = [
            f"- {self.opened + timedelta(minutes=minute):%H:%M} {text}"
            for minute, text in zip(self.minutes[:steps], steps_taken[:steps], strict=True)
        ]
        parts = [f"**Impact:** {story.impact}", "**Timeline (UTC)**", "\n".join(lines)]
        if steps == 4:
            parts.append(f"**Next:** {story.follow_up}")
        return self._fill("\n\n".join(parts))

    def _review(self, review_id: str, at: datetime, status: str) -> Document:
        text = REVIEW_TEXT.format(
            impact=self.story.impact,
            finding=self.story.finding,
            follow_up=self.story.follow_up,
            service=self.service,
            done="x" if status == "completed" else " ",
        )
        return {
            "schemaVersion": "1.0",
            "id": review_id,
            "updateSequenceNumber": milliseconds(at),
            "reviews": [self.id],
            "summary": REVIEW_SUMMARY.format(summary=self._fill(self.story.summary)),
            "description": self._fill(text),
            "url": f"https://operations.example/reviews/{review_id}",
            "createdDate": timestamp(self.opened + timedelta(days=1)),
            "lastUpdated": timestamp(at),
            "status": status,
        }

    def _fill(self, text: str) -> str:
        for name, value in self.values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _minutes(self) -> list[int]:
        """The times of the four steps, in minutes after the incident was opened."""
        minutes = [0]
        for longest in (8, 45, 90):
            minutes.append(minutes[-1] + 2 + int(self.random.random() * longest))
        return minutes

    def _count_of_states(self) -> int:
        chance = self.random.random()
        if chance < SHARE_OF_MORE_STATES:
            return 3 + int(chance * 100) % 2
        return 2 if chance < SHARE_OF_MORE_STATES + SHARE_OF_TWO_STATES else 1

    def _components(self) -> list[str]:
        other = pick(self.random, SERVICES)
        both = self.random.random() < 0.2 and other != self.service
        return [self.service, other] if both else [self.service]

    def _associations(self) -> list[Document]:
        if self.random.random() >= SHARE_WITH_ISSUES:
            return []
        issue = f"{pick(self.random, PROJECTS)}-{1 + int(self.random.random() * 4000)}"
        return [{"associationType": "issueIdOrKeys", "values": [issue]}]


def pick(random: Random, choices: Sequence[T]) -> T:
    """A random choice, the same on every version of Python."""
    return choices[int(random.random() * len(choices))]


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds, to the second."""
    return int(at.timestamp()) * 1000


def timestamp(at: datetime) -> str:
    """The time in ISO 8601, to the second; `at` must be UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in sample_lines())
