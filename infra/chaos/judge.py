"""The verdict, from outside: what every site holds, against what was accepted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.chaos.jira_faults import REFUSAL
from infra.chaos.ledger import (
    PARTLY_KNOWN,
    REFUSED,
    REFUSED_AT_TIMES,
    REFUSES_REQUEST,
    REFUSES_REQUEST_AT_TIMES,
    UNKNOWN,
    UNKNOWN_PROJECT,
    Known,
)
from infra.chaos.run import Run
from infra.chaos.world import Site
from relay.delivery.sites import LinkedSite
from relay.entities import EntityKey, Kind
from relay.record import Debt, Entry, Outcome, OutcomeState

_ALWAYS_REFUSED = (REFUSED, REFUSES_REQUEST)
_REFUSED_AT_TIMES = (REFUSED_AT_TIMES, REFUSES_REQUEST_AT_TIMES)
# An answer that did not name an entity leaves it unaccounted, whatever became of it.
_HELD = (OutcomeState.ACCEPTED, OutcomeState.UNACCOUNTED)

HELD = "held"
IS_REFUSED = "refused"
UNKNOWN_PROJECTS = "unknown projects"
DELETED = "deleted"
LOST = "lost"
STALE = "stale"
UNEXPLAINED = "unexplained"
WRONG = (LOST, STALE, UNEXPLAINED)


@dataclass(frozen=True)
class Finding:
    """`why` says what is wrong with an entity at a site; the rest is all that is known of it."""

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
    """`counts` by site and by what was found of its entities."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.findings


@dataclass(frozen=True)
class _AtSite:
    """One entity at one site."""

    one: Known
    entry: Entry | None
    outcome: Outcome | None
    debt: Debt | None
    held: dict[str, Any] | None
    generation: int


class Judge:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._stores = run.stores
        self._verdict = Verdict()

    def verdict(self) -> Verdict:
        for queue in (self._run.submissions, self._run.replays):
            self._none_left(f"dead letters of {queue.name}", queue.dead)
        self._none_left("buried messages", list(self._run.buried.messages.values()))
        self._none_left("what has not come to rest", self._stores.unsettled())
        self._record()
        for site in self._run.world.sites:
            self._site(site)
        return self._verdict

    def _none_left(self, what: str, left: list[Any]) -> None:
        if left:
            known = {"first": left[0], "in all": len(left)}
            self._find(Finding(UNEXPLAINED, what, "Relay", "all", known=known))

    def _record(self) -> None:
        """Every accepted state is there, or a newer one."""
        for workspace_id, known in self._run.ledger.known.items():
            entries = {entry.key: entry for entry in self._stores.record.entries(workspace_id)}
            for one in known:
                if why := _wrong_in_record(one, entries.get(one.key)):
                    told = {"expected": _expected(one), "record": _short(entries.get(one.key))}
                    self._find(Finding(LOST, why, "the record", workspace_id, one.key, told))

    def _site(self, site: Site) -> None:
        counts = self._verdict.counts[site.name] = Counter()
        in_jira = self._run.stage.jira.site(site.name)["linkedWorkspaces"]
        linked = self._stores.links.workspaces_of(site.id)
        if sorted(in_jira) != sorted(linked) or sorted(linked) != sorted(site.linked):
            told = {"in Jira": in_jira, "in Relay": linked, "expected": site.linked}
            self._find(Finding(UNEXPLAINED, "links differ", site.name, "all", known=told))
        held = {
            EntityKey(kind, entity["id"]): entity
            for kind in Kind
            for entity in self._run.stage.jira.entities(site.name, kind.value)
        }
        for workspace_id in linked:
            [at] = [one for one in self._stores.linked(workspace_id) if one.tenant.id == site.id]
            for found in self._entities(at, held):
                verdict, why = _judged(found)
                counts[verdict] += 1
                if verdict in WRONG:
                    self._find(self._finding(verdict, why, site, at, found))

    def _entities(self, at: LinkedSite, held: dict[EntityKey, dict[str, Any]]) -> Iterator[_AtSite]:
        workspace_id, tenant_id = at.workspace_id, at.tenant.id
        entries = {entry.key: entry for entry in self._stores.record.entries(workspace_id)}
        outcomes = {one.key: one for one in self._stores.record.outcomes(workspace_id, tenant_id)}
        known = self._run.ledger.known[workspace_id]
        debts = self._stores.debts.of(workspace_id, tenant_id, [one.key for one in known])
        for one in known:
            key = one.key
            there = held.get(EntityKey(key.kind, at.ids.at_site(key.id)))
            yield _AtSite(
                one,
                entries.get(key),
                outcomes.get(key),
                debts.get(key),
                at.ids.own_entity(there) if there else None,
                at.generation,
            )

    def _finding(
        self, verdict: str, why: str, site: Site, at: LinkedSite, found: _AtSite
    ) -> Finding:
        told = {
            "expected": _expected(found.one),
            "record": _short(found.entry),
            "outcome": found.outcome,
            "debt": found.debt,
            "generation": found.generation,
            "replay": at.replay,
            "site holds": found.held and found.held["summary"],
            "with sequence": found.held and found.held["updateSequenceNumber"],
        }
        return Finding(verdict, why, site.name, at.workspace_id, found.one.key, told)

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
        return "" if entry is None else "never accepted"
    if entry is None:
        return "not recorded"
    if one.deleted:
        return "" if entry.entity is None else "deleted, and there"
    if entry.entity != one.entity:
        return "not the newest state"
    return "" if dict(entry.properties) == one.properties else "other properties"


def _judged(found: _AtSite) -> tuple[str, str]:
    """What became of the entity at the site, and what is wrong with that."""
    if found.debt:
        return UNEXPLAINED, "a debt is left"
    if found.one.deleted or not found.one.sequence:
        return (UNEXPLAINED, "deleted, and held") if found.held else (DELETED, "")
    outcome = found.outcome
    if outcome is None or outcome.sequence != found.one.sequence:
        return LOST if found.held is None else UNEXPLAINED, "no outcome of the newest state"
    if outcome.generation != found.generation:
        return LOST if found.held is None else UNEXPLAINED, "no outcome of this generation"
    if found.one.tag in _ALWAYS_REFUSED or _is_refused_at_times(found):
        return _judged_refused(found, outcome)
    if found.one.tag == UNKNOWN:
        return _judged_unknown(found, outcome)
    return _judged_held(found, outcome)


def _is_refused_at_times(found: _AtSite) -> bool:
    outcome = found.outcome
    refused = outcome is not None and outcome.state is OutcomeState.REJECTED
    return refused and found.one.tag in _REFUSED_AT_TIMES


def _judged_refused(found: _AtSite, outcome: Outcome) -> tuple[str, str]:
    if outcome.state is not OutcomeState.REJECTED:
        return UNEXPLAINED, "not told as rejected"
    if not any(REFUSAL in message for message in outcome.messages):
        return UNEXPLAINED, "rejected without Jira's message"
    if found.held is not None and found.one.tag in _ALWAYS_REFUSED:
        return UNEXPLAINED, "refused, and held"
    return IS_REFUSED, ""


def _judged_unknown(found: _AtSite, outcome: Outcome) -> tuple[str, str]:
    if found.held is not None:
        return UNEXPLAINED, "of an unknown project, and held"
    if outcome.state is not OutcomeState.UNKNOWN_PROJECTS:
        return UNEXPLAINED, "its unknown project is not told"
    named = outcome.unknown_project_keys == (UNKNOWN_PROJECT,)
    return (UNKNOWN_PROJECTS, "") if named else (UNEXPLAINED, "another project is told")


def _judged_held(found: _AtSite, outcome: Outcome) -> tuple[str, str]:
    if found.held is None:
        return LOST, "nothing of it"
    raised = found.one.sequence + found.generation
    if found.held != found.one.entity | {"updateSequenceNumber": raised}:
        return STALE, "another state"
    if outcome.state not in _HELD:
        return UNEXPLAINED, f"held, and told as {outcome.state}"
    wants = (UNKNOWN_PROJECT,) if found.one.tag == PARTLY_KNOWN else ()
    if outcome.state is OutcomeState.ACCEPTED and outcome.unknown_project_keys != wants:
        return UNEXPLAINED, "its unknown project is not told"
    return HELD, ""
