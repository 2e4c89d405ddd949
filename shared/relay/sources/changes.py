"""What a webhook says, before it is mapped to entities. Times are microseconds since 1970."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.entities.model import IncidentStatus, ReviewStatus
from relay.errors import Detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What an incident affects. `id` is the tool's id; empty if the tool has only a `name`."""

    id: str = ""
    name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A post-incident review. Without an `id`, it is named after its incident."""

    id: str = ""
    status: ReviewStatus
    changed_at: int
    created_at: int
    title: str = ""
    description: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What an event says of the episode that it belongs to, for alarms whose end does not name it.

    `start` is when the episode began, and None if the event does not say. `may_continue` is whether
    the event belongs to an episode that is open. If it does not, that one had ended at
    `earlier_ended`, or at the event's own time if that is None.
    """

    start: int | None
    may_continue: bool = False
    earlier_ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChange:
    """An incident or alert as of `changed_at`.

    `id` is the tool's own; an alert has one per episode. `reference` is what people call it, such
    as "incident 19", for the description if there is none. Of `urls`, the first valid one is used.
    `severity` is the tool's name for it; empty for none. `keys` are issue keys that a field for
    them holds, in any case; `notes` are further texts that people write issue keys into, besides
    title and description. In all lists, what is empty does not count. With an `episode`, `id` is
    the alarm's, over all its episodes.
    """

    id: str
    changed_at: int
    created_at: int
    status: IncidentStatus
    title: str
    description: str = ""
    reference: str = ""
    urls: Sequence[str] = ()
    severity: str = ""
    services: Sequence[Service] = ()
    keys: Sequence[str] = ()
    notes: Sequence[str] = ()
    review: Review | None = None
    episode: Episode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewChange:
    """A review that comes without its incident. `incidents` are the tool's ids of incidents."""

    review: Review
    incidents: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChange:
    """A service was created or changed at `changed_at`."""

    service: Service
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeletion:
    """The tool has deleted the incident. Later states that are older do not restore it."""

    id: str
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDeletion:
    """The tool has deleted the review, which has an id of its own."""

    id: str
    changed_at: int


Change = IncidentChange | ReviewChange | ServiceChange | IncidentDeletion | ReviewDeletion


@dataclass(frozen=True, slots=True)
class Reading:
    """What a payload says. `event` is the tool's name for it, such as `incident.triggered`.

    `ignored` says why it holds nothing for Jira, if there are no changes. `refused` names the parts
    that are not of the tool's shape, such as one of several alerts.
    """

    event: str
    changes: Sequence[Change] = ()
    ignored: str = ""
    refused: Sequence[Detail] = ()

    @property
    def alarms(self) -> list[str]:
        """The alarms of which the mapping needs what is kept."""
        changes = [change for change in self.changes if isinstance(change, IncidentChange)]
        return list({change.id: None for change in changes if change.episode})
