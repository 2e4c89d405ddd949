"""The episodes of CloudWatch's alarms, over several events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sources.episodes import EPISODES_MAX, KeptAlarm, KeptEpisode
from relay.sources.mapping import Mapped, SourceContext, mapped
from relay.sources.settings import SourceSettings
from relay.sources.tool import tool_of
from tests.sources.samples import WORKSPACE_URL, samples

DETAIL = samples("cloudwatch")["alarm"]["detail"]
ALARM_ID = "123456789012-eu-west-1-CheckoutLatency"


@dataclass(frozen=True)
class Event:
    """A state since a second of a minute, and the state before it."""

    state: str
    at: int
    state_before: str | None = None
    at_before: int = 0

    def payload(self) -> dict[str, Any]:
        before = {"value": self.state_before, "timestamp": clock(self.at_before)}
        detail = {
            "state": {"value": self.state, "timestamp": clock(self.at)},
            "previousState": before if self.state_before else None,
        }
        return {**samples("cloudwatch")["alarm"], "detail": {**DETAIL, **detail}}


def clock(second: int) -> str:
    return f"2026-11-20T20:35:{second:02}.000+0000"


def start_of(entity_id: str) -> int:
    """The second in which the incident's episode began."""
    return (int(entity_id.rpartition("-")[2]) // 1000) % 60


@dataclass
class Relay:
    """Alarms as Relay keeps them, and the newest state of each incident."""

    kept: dict[str, KeptAlarm] = field(default_factory=dict)
    recorded: dict[str, tuple[int, str]] = field(default_factory=dict)

    def deliver(self, event: Event, *, crash: bool = False) -> Mapped:
        """A crash comes after the alarm is saved, and before the incidents are recorded."""
        settings = SourceSettings()
        reading = tool_of("cloudwatch").read(event.payload(), settings)
        known = {name: self.kept[name] for name in reading.alarms if name in self.kept}
        context = SourceContext("cloudwatch", "CloudWatch", settings, WORKSPACE_URL, known)
        found = mapped(reading, context)
        assert not found.refused
        assert bool(found.states) != bool(found.ignored)
        for name, alarm in found.alarms.items():
            assert name not in self.kept or alarm.at > self.kept[name].at
        self.kept |= found.alarms
        for state in () if crash else found.states:
            entity = state.entity
            newest = self.recorded.get(entity["id"], (-1, ""))
            newer = (entity["updateSequenceNumber"], entity["status"])
            if newer[0] > newest[0]:
                self.recorded[entity["id"]] = newer
        return found

    @property
    def incidents(self) -> dict[int, str]:
        """The status of each incident, by the second of its beginning."""
        return {start_of(key): status for key, (_, status) in self.recorded.items()}


def history(states: Sequence[str], first: str | None = None) -> list[Event]:
    """The events of states that follow each other, every second second."""
    before = [first, *states]
    return [
        Event(state, 2 * number + 2, before[number], 2 * number)
        for number, state in enumerate(states)
    ]


def episodes_of(events: Sequence[Event]) -> dict[int, str]:
    """What happened: an alarm is in an episode from ALARM until OK.

    The first event may name one that began before; INSUFFICIENT_DATA changes nothing.
    """
    found: dict[int, str] = {}
    start: int | None = None
    for event in events:
        if event.state == "INSUFFICIENT_DATA":
            continue
        if start is None and event.state_before == "ALARM":
            start = event.at_before
        elif start is None and event.state == "ALARM":
            start = event.at
        if start is not None:
            found[start] = "open" if event.state == "ALARM" else "resolved"
        if event.state == "OK":
            start = None
    return found


def in_alarm(events: Sequence[Event]) -> bool:
    """Whether the newest of the events that say something is ALARM."""
    telling = [event for event in events if event.state != "INSUFFICIENT_DATA"]
    newest = max(telling, key=lambda event: event.at, default=None)
    return newest is not None and newest.state == "ALARM"


STATES = st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])
HISTORIES = st.builds(history, st.lists(STATES, min_size=1, max_size=24), st.none() | STATES)
# With as many episodes as Relay keeps: each has two states.
SHORT_HISTORIES = st.builds(
    history, st.lists(STATES, min_size=1, max_size=2 * EPISODES_MAX - 1), st.none() | STATES
)


@given(HISTORIES)
def test_in_order_each_episode_is_one_incident(events: list[Event]) -> None:
    relay = Relay()

    for event in events:
        relay.deliver(event)

    assert relay.incidents == episodes_of(events)


@given(HISTORIES, st.data())
def test_in_any_order_the_newest_event_decides_what_is_open(
    events: list[Event], data: st.DataObject
) -> None:
    deliveries = data.draw(st.lists(st.sampled_from(events), min_size=1, max_size=24))
    relay = Relay()

    for number, event in enumerate(deliveries):
        relay.deliver(event)
        assert list(relay.incidents.values()).count("open") == in_alarm(deliveries[: number + 1])


@given(SHORT_HISTORIES, st.data())
def test_a_crash_is_mended_when_the_event_comes_again(
    events: list[Event], data: st.DataObject
) -> None:
    deliveries = data.draw(
        st.lists(st.tuples(st.sampled_from(events), st.booleans()), min_size=1, max_size=18)
    )
    relay = Relay()

    for event, crash in deliveries:
        relay.deliver(event, crash=crash)
    for event in data.draw(st.permutations([event for event, crash in deliveries if crash])):
        relay.deliver(event)

    delivered = [event for event, _ in deliveries]
    assert list(relay.incidents.values()).count("open") == in_alarm(delivered)


@given(SHORT_HISTORIES, st.data())
def test_after_a_crash_in_order_there_is_still_one_incident_of_each_episode(
    events: list[Event], data: st.DataObject
) -> None:
    crashed = data.draw(st.sets(st.sampled_from(events)))
    relay = Relay()

    for event in events:
        relay.deliver(event, crash=event in crashed)
    for event in crashed:
        relay.deliver(event)

    assert relay.incidents == episodes_of(events)


@given(HISTORIES, st.data())
def test_repeats_in_order_change_nothing(events: list[Event], data: st.DataObject) -> None:
    relay = Relay()

    for number, event in enumerate(events):
        relay.deliver(event)
        relay.deliver(data.draw(st.sampled_from(events[: number + 1])))

    assert relay.incidents == episodes_of(events)


ALARM, OK = Event("ALARM", 10, "OK", 4), Event("OK", 20, "ALARM", 10)


def delivered(*events: Event) -> dict[int, str]:
    relay = Relay()
    for event in events:
        relay.deliver(event)
    return relay.incidents


def test_insufficient_data_in_between_belongs_to_the_episode() -> None:
    again = Event("ALARM", 30, "INSUFFICIENT_DATA", 20)
    over = Event("OK", 40, "ALARM", 30)

    assert delivered(ALARM, again, over) == {10: "resolved"}


def test_an_alarm_after_insufficient_data_is_new_if_nothing_is_open() -> None:
    again = Event("ALARM", 40, "INSUFFICIENT_DATA", 30)

    assert delivered(ALARM, OK, again) == {10: "resolved", 40: "open"}


def test_ok_after_insufficient_data_ends_the_open_episode() -> None:
    assert delivered(ALARM, Event("OK", 30, "INSUFFICIENT_DATA", 20)) == {10: "resolved"}


@pytest.mark.parametrize("state_before", [None, "OK"])
def test_an_alarm_whose_ok_was_lost_ends_the_earlier_episode(state_before: str | None) -> None:
    relay = Relay()
    relay.deliver(ALARM)

    found = relay.deliver(Event("ALARM", 40, state_before, 30))

    assert relay.incidents == {10: "resolved", 40: "open"}
    [opened, ended] = [state.entity for state in found.states]
    assert opened["createdDate"] == "2026-11-20T20:35:40Z"
    assert ended["createdDate"] == "2026-11-20T20:35:10Z"
    assert ended["lastUpdated"] == f"2026-11-20T20:35:{30 if state_before else 40}Z"


@pytest.mark.parametrize("ended", [4, 10, 50])
def test_an_end_that_contradicts_the_events_is_that_of_the_new_beginning(ended: int) -> None:
    relay = Relay()
    relay.deliver(ALARM)

    found = relay.deliver(Event("ALARM", 40, "OK", ended))

    assert relay.incidents == {10: "resolved", 40: "open"}
    assert found.states[1].entity["lastUpdated"] == "2026-11-20T20:35:40Z"


def test_only_the_event_that_began_an_episode_ends_the_one_before() -> None:
    relay = Relay()
    for event in (ALARM, Event("ALARM", 40, "OK", 30)):
        relay.deliver(event)

    assert len(relay.deliver(Event("OK", 50, "ALARM", 40)).states) == 1
    assert len(relay.deliver(Event("ALARM", 40, "OK", 30)).states) == 2


def test_an_alarm_between_an_episode_and_a_later_ok_is_ignored() -> None:
    relay = Relay()
    for event in (ALARM, OK):
        relay.deliver(event)

    later = relay.deliver(Event("OK", 50, "INSUFFICIENT_DATA", 40))
    between = relay.deliver(Event("ALARM", 30, "OK", 20))

    assert later.ignored == "the alarm was not in alarm before"
    assert between.ignored == "a newer state of the alarm is known"
    assert relay.incidents == {10: "resolved"}


def test_an_alarm_that_comes_after_its_ok_does_not_open_it_again() -> None:
    assert delivered(OK, ALARM) == {10: "resolved"}


def test_an_ok_that_names_no_episode_still_counts() -> None:
    unnamed = Event("OK", 30, "INSUFFICIENT_DATA", 20)

    assert delivered(unnamed, ALARM) == {}


def test_late_events_are_ignored_with_the_reason() -> None:
    relay = Relay()
    relay.deliver(Event("ALARM", 40, "OK", 30))

    found = relay.deliver(ALARM)

    assert found.ignored == "a newer state of the alarm is known"
    assert not found.alarms


def test_an_alarm_that_is_sent_again_with_a_new_time_is_of_the_same_episode() -> None:
    assert delivered(ALARM, Event("ALARM", 12, "ALARM", 10), OK) == {10: "resolved"}


def test_what_is_kept() -> None:
    relay = Relay()

    relay.deliver(ALARM)
    start = 1795206910000000
    end = start + 10_000_000
    assert relay.kept == {ALARM_ID: KeptAlarm(start, True, (KeptEpisode(start, start),))}
    relay.deliver(OK)
    assert relay.kept == {ALARM_ID: KeptAlarm(end, False, (KeptEpisode(start, end),))}


def test_a_bounded_number_of_episodes_is_kept() -> None:
    relay = Relay()

    for event in history(["ALARM", "OK"] * 9):
        relay.deliver(event)

    assert len(relay.kept[ALARM_ID].episodes) == EPISODES_MAX
    assert len(relay.incidents) == 9


def test_a_start_that_contradicts_what_is_kept_is_not_believed() -> None:
    assert delivered(ALARM, OK, Event("OK", 30, "ALARM", 15)) == {10: "resolved"}
    assert delivered(ALARM, OK, Event("ALARM", 30, "ALARM", 15)) == {10: "resolved", 30: "open"}
    assert delivered(Event("ALARM", 10, "ALARM", 20)) == {10: "open"}
