"""The events of a run: submissions, deletions, links, and the faults of each site.

Each part is a generator that makes one step per round, so many parts run concurrently. A failed
step is repeated in the next round, as a person or a tool would repeat it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from urllib.parse import quote

from infra.chaos.jira_faults import name_of, troubles
from infra.chaos.ledger import TEAM, Document, Known, Ledger
from infra.chaos.settings import Settings
from infra.harness.world import Site, World
from relay.entities.model import Kind

Part = Iterator[None]
Episode = Callable[[Site], Part]

_STATES_PER_SUBMISSION = 150
# Relay accepts 4 MiB.
_SUBMISSION_BYTES = 4_000_000
# Per site, so that it has the same ids from several workspaces.
WORKSPACES_MIN = 2


class Story:
    """All parts of a run; `happened` counts events. Once `closing` is set, the parts finish."""

    def __init__(self, settings: Settings, world: World, ledger: Ledger) -> None:
        self.happened: Counter[str] = Counter()
        self.closing = False
        self._world = world
        self._ledger = ledger
        self._rng = Random(f"{settings.seed}/story")  # noqa: S311
        submissions = -(-ledger.waiting // _STATES_PER_SUBMISSION)
        # Everything is submitted some rounds before the trouble ends.
        self._per_round = max(-(-submissions * 5 // (settings.rounds * 4)), 1)
        self._parts: list[Part] = [self._submitting()]
        self._parts += [self._deleting(workspace) for workspace in ledger.known]
        for site in world.sites:
            self._parts += [
                self._lane(site, 2, [self._trouble]),
                self._lane(site, 12, self._admin_episodes()),
                self._linking(site),
                self._lane(site, 20, [self._asked_for_owed, self._asked_for_all]),
            ]

    def round(self) -> bool:
        """Makes one step of each part; returns False once all parts have ended."""
        self._parts = [part for part in self._parts if next(part, self) is not self]
        return bool(self._parts)

    # --- Parts ---

    def _submitting(self) -> Part:
        while self._ledger.waiting or not self.closing:
            for _ in range(self._ledger.waiting if self.closing else self._per_round):
                self._submit()
            yield

    def _submit(self) -> None:
        workspaces = [name for name, states in self._ledger.backlog.items() if states]
        if not workspaces:
            return
        workspace_id = self._rng.choice(workspaces)
        backlog = self._ledger.backlog[workspace_id]
        size = self._rng.randint(1, 2 * _STATES_PER_SUBMISSION)
        chosen = backlog[-size:]
        # A submission has one set of properties: states with others stay in the backlog.
        properties = self._rng.choice(chosen)[0].properties
        chosen = [pair for pair in chosen if pair[0].properties == properties]
        while _size(body := _submission(chosen)) > _SUBMISSION_BYTES:
            chosen = chosen[len(chosen) // 2 :]
        if self._world.submit(workspace_id, body):
            submitted = {id(state) for _, state in chosen}
            backlog[-size:] = [pair for pair in backlog[-size:] if id(pair[1]) not in submitted]
            for one, state in chosen:
                one.accepted(state)
            self._ledger.submitted += len(chosen)
            self.happened["submissions"] += 1

    def _deleting(self, workspace_id: str) -> Part:
        known = self._ledger.known[workspace_id]
        team = [one for one in known if one.properties.items() >= TEAM.items()]
        while not self.closing:
            yield from self._waits(2)
            free = [one for one in known if one.sequence and not one.waiting and not one.deleted]
            for one in self._rng.sample(free, min(len(free), self._rng.randint(1, 3))):
                yield from self._delete(one)
            if team and self._are_recorded(team):
                yield from self._until(self._delete_team(workspace_id))
                for one in team:
                    one.deleted = True
                self.happened["deletions by property"] += 1
                team = []

    def _delete(self, one: Known) -> Part:
        path = f"{one.key.kind.plural}/{quote(one.key.id)}"
        yield from self._until(lambda: self._world.delete(one.workspace_id, path))
        one.deleted = True
        self.happened["deletions"] += 1
        if self._rng.random() < 0.4:
            yield from self._waits(3)
            self._ledger.revive(one)
            self.happened["submitted again after a deletion"] += 1

    def _are_recorded(self, team: list[Known]) -> bool:
        """A deletion by property skips queued entities, so they must be recorded first."""
        if any(one.waiting or not one.sequence for one in team):
            return False
        return all(self._world.recorded(one.workspace_id, one.key) == one.sequence for one in team)

    def _delete_team(self, workspace_id: str) -> Callable[[], bool]:
        [(name, value)] = TEAM.items()
        return lambda: self._world.delete(workspace_id, f"entities?{name}={value}")

    def _lane(self, site: Site, pause: int, episodes: Sequence[Episode]) -> Part:
        """Runs episodes at a site, one at a time; a site's lanes run concurrently."""
        while not self.closing:
            yield from self._waits(pause)
            yield from self._rng.choice(episodes)(site)

    def _linking(self, site: Site) -> Part:
        """Links and unlinks; at the end, unlinks one for good while deliveries are running."""
        yield from self._lane(site, 12, [self._relinked])
        if len(site.linked) > WORKSPACES_MIN:
            workspace_id = self._rng.choice(sorted(site.linked))
            yield from self._until(lambda: self._world.unlink(site, workspace_id))
            self.happened["links removed for good"] += 1

    # --- Episodes of a site ---

    def _admin_episodes(self) -> Sequence[Episode]:
        return (
            self._loss,
            self._revoked,
            self._reinstalled,
            self._reinstalled,
            self._forgetting,
            self._upgraded,
        )

    def _trouble(self, site: Site) -> Part:
        faults = troubles(self._rng)
        for fault in faults:
            self.happened[f"site: {name_of(fault)}"] += 1
        self._world.fail(site, faults, self._rng.getrandbits(32))
        yield from self._waits(4)
        self._world.fail(site, [])

    def _loss(self, site: Site) -> Part:
        """Relay can't detect a loss after a 202, so the operator replays everything."""
        self.happened["site: lose"] += 1
        self._world.fail(site, [{"kind": "lose", "rate": 0.3}], self._rng.getrandbits(32))
        yield from self._waits(3)
        self._world.fail(site, [])
        yield from self._until(lambda: self._world.replay(site, what="all"))

    def _revoked(self, site: Site) -> Part:
        self.happened["site: revoked secret"] += 1
        self._world.fail(site, [{"kind": "revoked secret"}])
        yield from self._waits(3)
        yield from self._until(lambda: self._world.install(site))
        self._world.fail(site, [])

    def _reinstalled(self, site: Site) -> Part:
        remembered = self._rng.random() < 0.5
        handling = "remembered" if remembered else "forgotten"
        self.happened[f"site: uninstalled and reinstalled, sequences {handling}"] += 1
        self._world.remember_sequences(remembered)
        self._world.uninstall(site)
        yield from self._waits(3)
        yield from self._until(lambda: self._world.install(site))

    def _forgetting(self, site: Site) -> Part:
        keeps = self._rng.random() < 0.5
        self.happened[f"site: forgets all, {'except' if keeps else 'with'} its sequences"] += 1
        self._world.forget(site, keeps)
        yield from self._waits(2)
        yield from self._until(lambda: self._world.replay(site, what="all"))

    def _upgraded(self, site: Site) -> Part:
        renewed = self._rng.random() < 0.5
        self.happened[f"site: upgraded, {'new' if renewed else 'same'} secret"] += 1
        yield from self._until(lambda: self._world.install(site, newSecret=renewed))

    def _asked_for_owed(self, site: Site) -> Part:
        self.happened["replays of owed entities"] += 1
        since = {"since": "2026-01-01T00:00:00Z"} if self._rng.random() < 0.3 else {}
        yield from self._until(lambda: self._world.replay(site, what="owed", **since))

    def _asked_for_all(self, site: Site) -> Part:
        self.happened["replays of everything"] += 1
        yield from self._until(lambda: self._world.replay(site, what="all"))

    def _relinked(self, site: Site) -> Part:
        """Unlinks a workspace and links it again, or links another."""
        workspaces = list(self._ledger.known)
        workspace_id = self._rng.choice(workspaces)
        if workspace_id in site.linked:
            self.happened["links removed"] += 1
            yield from self._until(lambda: self._world.unlink(site, workspace_id))
            yield from self._waits(4)
            if len(site.linked) >= WORKSPACES_MIN and self._rng.random() < 0.3:
                return
        self.happened["links added"] += 1
        yield from self._until(lambda: self._world.link(site, workspace_id))

    # --- Time ---

    def _waits(self, most: int) -> Part:
        for _ in range(self._rng.randint(0, most)):
            if self.closing:
                return
            yield
        yield

    @staticmethod
    def _until(attempt: Callable[[], bool]) -> Part:
        while not attempt():
            yield


def _submission(chosen: Sequence[tuple[Known, Document]]) -> Document:
    """The body of a submission; all chosen states have the same properties."""
    states = {
        kind.plural: [state for one, state in chosen if one.key.kind is kind] for kind in Kind
    }
    return {"properties": chosen[0][0].properties, **states}


def _size(body: Document) -> int:
    return len(json.dumps(body, ensure_ascii=False).encode())
