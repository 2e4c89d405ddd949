"""A replay: delivers to a site what it lacks from the record of one workspace."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any
from uuid import uuid4

from pydantic.alias_generators import to_camel

from relay.table import Item
from relay.tenants.tenant import Tenant, TenantState


class ReplayScope(StrEnum):
    """What a replay delivers.

    `all`: every recorded entity. `since`: what is owed, and what was recorded since a given time.
    `owed`: every entity without an outcome for its recorded state. `debts`: what is noted as owed.
    """

    ALL = "all"
    SINCE = "since"
    OWED = "owed"
    DEBTS = "debts"


class Stage(StrEnum):
    """The stages of a replay, in their order. A replay of `debts` starts with `pay`."""

    LINK = "link"
    COMPONENTS = "components"
    COUNT = "count"
    WALK = "walk"
    PAY = "pay"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Replay:
    """A link's current or last replay. Times are epoch milliseconds.

    `run` identifies the replay; `why` says for people why it was started. `resets` counts how often
    the link's site was to get everything again: each replay of `all` but the first adds one.
    `walked_generation` is the generation that the last walk was started in (see `generation`).
    A stage continues at `cursor`. Of `total` entities, `done` are settled, and Jira refused
    `refused` of these. `owed` counts the debts that were noted during the replay: it ends only
    after it has seen them. It may continue at `due`; a worker has it until `leased`. `attempts`
    counts successive workers that were cut off before they saved progress. When a done replay
    leaves postponed debts, `again` is when the first of them is due; otherwise it is 0.
    """

    tenant_id: str
    workspace_id: str
    resets: int = 0
    walked_generation: int = 0
    run: str = ""
    scope: ReplayScope = ReplayScope.DEBTS
    why: str = ""
    since: str | None = None
    stage: Stage = Stage.DONE
    cursor: str = ""
    counted: int = 0
    total: int | None = None
    done: int = 0
    refused: int = 0
    owed: int = 0
    due: int = 0
    again: int = 0
    leased: int = 0
    attempts: int = 0
    reason: str | None = None
    started_at: int = 0
    updated_at: int = 0
    ended_at: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether the replay has ended, or never started."""
        return self.stage is Stage.DONE

    def is_due_again(self, now: int) -> bool:
        """Whether the replay is done and a postponed debt is due."""
        return self.is_done and 0 < self.again <= now


def new_run() -> str:
    """A unique id for a replay's `run`."""
    return uuid4().hex


# Names of the item's attributes by field. The key holds the two ids.
_ATTRIBUTES = {
    field.name: to_camel(field.name)
    for field in fields(Replay)
    if field.name not in ("tenant_id", "workspace_id")
} | {"scope": "what", "walked_generation": "generation"}
_TEXTS = frozenset({"run", "why", "since", "cursor", "reason"})


def attributes_of(replay: Replay) -> dict[str, Any]:
    """The attributes of the replay's item, without its key."""
    return {attribute: getattr(replay, name) for name, attribute in _ATTRIBUTES.items()}


def replay_of(tenant_id: str, workspace_id: str, item: Item) -> Replay:
    """The replay in an item. Attributes that an earlier version did not write have defaults."""
    values: dict[str, Any] = {
        name: item[attribute] if name in _TEXTS else _typed(name, item[attribute])
        for name, attribute in _ATTRIBUTES.items()
        if item.get(attribute) is not None
    }
    return Replay(tenant_id, workspace_id, **values)


def _typed(name: str, value: Any) -> Any:
    return {"scope": ReplayScope, "stage": Stage}.get(name, int)(value)


def generation(tenant: Tenant, replay: Replay | None) -> int:
    """The current generation of a link, from its tenant and its replay, if it has one."""
    # An uninstalled site has no entities: it is already in the generation of its next install.
    uninstalled = tenant.state is TenantState.UNINSTALLED
    return generation_at(tenant.installs + uninstalled, replay.resets if replay else 0)


def generation_at(installs: int, resets: int) -> int:
    """The generation of a link, from its tenant's `installs` and its replay's `resets`."""
    return installs + resets


def is_behind(replay: Replay | None, installs: int) -> bool:
    """Whether an active site has started over since the last walk of the whole record started.

    `installs` are the tenant's; `replay` is None if the link never had one.
    """
    return replay is None or replay.walked_generation < generation_at(installs, replay.resets)
