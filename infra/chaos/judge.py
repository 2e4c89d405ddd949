"""Compares every site's entities with the states that Relay accepted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.chaos.isolation import Held, why_foreign
from infra.chaos.ledger import Known
from infra.chaos.run import Run
from infra.chaos.verdicts import FOREIGN, LOST, UNEXPLAINED, WRONG, EntityAtSite, judge
from infra.harness.world import Site
from relay.delivery.sites import LinkedSite
from relay.entities.model import EntityKey, Kind
from relay.record.entry import Entry

WORKSPACES = "workspaces"


@dataclass(frozen=True)
class Finding:
    """What is wrong with an entity at a site, as `why`; `known` contains facts for debugging."""

    verdict: str
    why: str
    site: str
    workspace_id: str
    key: EntityKey | None = None
    known: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        named = f"{self.key.kind} {self.key.id}" if self.key else "all"
        lines = [f"{self.verdict}: {self.why}: {named} of {self.workspace_id} at {self.site}"]
        return "\n      ".join(lines + [f"{name}: {what}" for name, what in self.known.items()])


@dataclass
class Verdict:
    """The result of a run; `counts` has the number of entities by site and verdict."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether there are no findings."""
        return not self.findings


class Judge:
    """Judges a finished run, by reading Relay's stores and the simulator."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._stores = run.stores
        self._verdict = Verdict()

    def verdict(self) -> Verdict:
        """Checks the queues, the record and every site."""
        self._none_left("dead letters of SubmissionsQueue", self._run.submissions.dead)
        # A message of this queue is only a hint: without it, the sweeper finds the replay.
        dead = self._run.replays.dead_by_themselves
        self._none_left("dead letters of ReplaysQueue, without a fault of the run", dead)
        self._none_left("moved messages", list(self._run.dead_letters.messages.values()))
        self._none_left("unsettled work", self._run.unsettled())
        self._none_left("cookies sent", self._run.cookies)
        self._record()
        for site in self._run.world.sites:
            self._site(site)
        return self._verdict

    def _none_left(self, what: str, left: list[Any]) -> None:
        if left:
            details = {"first": left[0], "total": len(left)}
            self._find(Finding(UNEXPLAINED, what, "Relay", "all", known=details))

    def _record(self) -> None:
        """The record holds the newest accepted state of every entity."""
        for workspace_id, known in self._run.ledger.known.items():
            entries = {entry.key: entry for entry in self._stores.record.entries(workspace_id)}
            for one in known:
                if why := _wrong_in_record(one, entries.get(one.key)):
                    details = {"expected": _expected(one), "record": _short(entries.get(one.key))}
                    self._find(Finding(LOST, why, "the record", workspace_id, one.key, details))

    def _site(self, site: Site) -> None:
        counts = self._verdict.counts[site.name] = Counter()
        in_jira = self._run.stage.jira.site(site.name)["linkedWorkspaces"]
        linked = self._stores.links.workspaces_of(site.id)
        if sorted(in_jira) != sorted(linked) or sorted(linked) != sorted(site.linked):
            details = {"in Jira": in_jira, "in Relay": linked, "expected": site.linked}
            self._find(Finding(UNEXPLAINED, "links differ", site.name, "all", known=details))
        held = [
            Held(kind, entity, properties)
            for kind in Kind
            for entity, properties in self._run.stage.jira.with_properties(site.name, kind.value)
        ]
        counts[WORKSPACES] = len(linked)
        counts[FOREIGN] = self._foreign(site, linked, held)
        entities = {one.site_key: one.entity for one in held}
        for workspace_id in linked:
            [at] = [one for one in self._stores.linked(workspace_id) if one.tenant.id == site.id]
            for found in self._entities(at, entities):
                verdict, why = judge(found)
                counts[verdict] += 1
                if verdict in WRONG:
                    self._find(self._finding(verdict, why, site, at, found))

    def _foreign(self, site: Site, linked: list[str], held: list[Held]) -> int:
        """Counts the site's entities that belong to no linked workspace, or differ from its own."""
        known = {
            link.ids.key: {one.key: one for one in self._run.ledger.known[link.workspace_id]}
            for link in self._stores.links.of_tenant(site.id)
        }
        foreign = [(one, why_foreign(one, known.get(one.workspace_key))) for one in held]
        foreign = [(one, why) for one, why in foreign if why]
        for one, why in foreign:
            details = {"summary": one.entity["summary"], "properties": one.properties}
            named = ", ".join(linked)
            self._find(Finding(FOREIGN, why, site.name, named, one.site_key, details))
        return len(foreign)

    def _entities(
        self, at: LinkedSite, held: dict[EntityKey, dict[str, Any]]
    ) -> Iterator[EntityAtSite]:
        workspace_id, tenant_id = at.workspace_id, at.tenant.id
        entries = {entry.key: entry for entry in self._stores.record.entries(workspace_id)}
        outcomes = {one.key: one for one in self._stores.record.outcomes(workspace_id, tenant_id)}
        known = self._run.ledger.known[workspace_id]
        debts = self._stores.debts.of(workspace_id, tenant_id, [one.key for one in known])
        for one in known:
            key = one.key
            there = held.get(EntityKey(key.kind, at.ids.at_site(key.id)))
            debt = debts.get(key)
            yield EntityAtSite(
                one,
                entries.get(key),
                outcomes.get(key),
                debt,
                at.ids.own_entity(there) if there else None,
                at.generation,
                debt is not None and self._run.may_stay(debt),
            )

    def _finding(
        self, verdict: str, why: str, site: Site, at: LinkedSite, found: EntityAtSite
    ) -> Finding:
        details = {
            "expected": _expected(found.one),
            "record": _short(found.entry),
            "outcome": found.outcome,
            "debt": found.debt,
            "generation": found.generation,
            "replay": at.replay,
            "site holds": found.held and found.held["summary"],
            "with sequence": found.held and found.held["updateSequenceNumber"],
        }
        return Finding(verdict, why, site.name, at.workspace_id, found.one.key, details)

    def _find(self, finding: Finding) -> None:
        self._verdict.findings.append(finding)


def _expected(one: Known) -> str:
    return "deleted" if one.deleted else f"sequence {one.sequence}"


def _short(entry: Entry | None) -> str:
    if entry is None:
        return "nothing"
    state = "deleted" if entry.entity is None else entry.entity["summary"]
    return f"sequence {entry.sequence}, {state}, {entry.recorded_at}, {entry.deleted_at=}"


def _wrong_in_record(one: Known, entry: Entry | None) -> str:
    if not one.sequence:
        return "" if entry is None else "recorded, but never accepted"
    if entry is None:
        return "not recorded"
    if one.deleted:
        return "" if entry.entity is None else "deleted, but recorded"
    if entry.entity != one.entity:
        return "not the newest state"
    return "" if dict(entry.properties) == one.properties else "other properties"
