"""Episodes of alarms whose events do not all name the episode that they belong to.

Relay keeps the newest episodes of each such alarm. At most the newest one is open at any time: an
older event that comes late never opens another, and a new episode ends one whose end did not come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from relay.sources.changes import Change, Episode, IncidentChange

# An event is repeated within the time of this many episodes, if Relay failed to record it.
EPISODES_MAX = 5


@dataclass(frozen=True, slots=True)
class KeptEpisode:
    """One episode. `last` is its end, or its newest event while it is open. It is `replaced` if the
    next one began before its own end came. Times are microseconds since 1970."""

    start: int
    last: int
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class KeptAlarm:
    """What is kept of an alarm: the time of its newest event, whether its newest episode is open,
    and at most EPISODES_MAX `episodes`, the oldest first."""

    at: int
    is_open: bool
    episodes: tuple[KeptEpisode, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """Changes with the ids of their episodes; `ignored` says why there are none.

    `alarms` are to be saved before the changes are recorded. If something newer has been saved
    since, nothing may be saved, and the changes must be placed again.
    """

    changes: Sequence[Change]
    alarms: Mapping[str, KeptAlarm] = field(default_factory=dict)
    ignored: str = ""


def place(changes: Sequence[Change], kept: Mapping[str, KeptAlarm]) -> Placed:
    """Finds the episode of each change that has one; `kept` is what is kept of their alarms."""
    placed: list[Change] = []
    alarms: dict[str, KeptAlarm] = {}
    ignored = ""
    for change in changes:
        if not isinstance(change, IncidentChange) or not change.episode:
            placed.append(change)
            continue
        name = change.id
        before = alarms.get(name, kept.get(name))
        after = _after(before, change, change.episode)
        if after != before:
            alarms[name] = after
        found = _in_episodes(change, after.episodes)
        placed += found
        if not found:
            ignored = _reason(change, after)
    return Placed(placed, alarms, ignored)


def _after(kept: KeptAlarm | None, change: IncidentChange, episode: Episode) -> KeptAlarm:
    """What is known of the alarm after the change; the same as before if it is not newer."""
    at = change.changed_at
    if kept and at <= kept.at:
        return kept
    is_open = change.status != "resolved"
    episodes = kept.episodes if kept else ()
    if kept and kept.is_open:
        *earlier, newest = episodes
        if episode.may_continue or not is_open:
            return KeptAlarm(at, is_open, (*earlier, replace(newest, last=at)))
        ended = episode.earlier_ended
        end = ended if ended and newest.last < ended <= at else at
        episodes = (*earlier, KeptEpisode(newest.start, end, replaced=True))
    start = _start(kept, change, episode)
    if start is not None:
        episodes = (*episodes, KeptEpisode(start, at))[-EPISODES_MAX:]
    return KeptAlarm(at, is_open, episodes)


def _start(kept: KeptAlarm | None, change: IncidentChange, episode: Episode) -> int | None:
    """When the change's own episode began; None if there is none that it could end."""
    at, named = change.changed_at, episode.start
    if named is not None and named <= at and (not kept or kept.at < named):
        return named
    return None if change.status == "resolved" else at


def _in_episodes(change: IncidentChange, episodes: Sequence[KeptEpisode]) -> list[Change]:
    """The change in the newest episode that it lies in, and the end of one that it replaced."""
    at = change.changed_at
    for number, kept in reversed(list(enumerate(episodes))):
        if kept.start <= at <= kept.last:
            earlier = episodes[number - 1 : number]
            # Whenever the event that began the episode is repeated, it says the same.
            ended = [one for one in earlier if one.replaced and at == kept.start]
            return [_of(change, kept), *(_end(change, one) for one in ended)]
    return []


def _end(change: IncidentChange, kept: KeptEpisode) -> IncidentChange:
    return _of(replace(change, status="resolved", changed_at=kept.last), kept)


def _of(change: IncidentChange, kept: KeptEpisode) -> IncidentChange:
    # Milliseconds, as with the alerts of other tools.
    return replace(change, id=f"{change.id}-{kept.start // 1000}", created_at=kept.start)


def _reason(change: IncidentChange, kept: KeptAlarm) -> str:
    if change.changed_at < kept.at:
        return "a newer state of the alarm is known"
    return "the alarm was not in alarm before"
