"""A replay: how far a site is behind the record of one workspace, and how far it has caught up."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any
from uuid import uuid4

from pydantic.alias_generators import to_camel

from relay.table import Item
from relay.tenants.tenant import Tenant, TenantState


class ReplayScope(StrEnum):
    """`all`: everything again, whatever the site may have; `since`: what is owed, and what was
    recorded since then; `owed`: what the record holds and the site has not answered for; `debts`:
    only what is noted as owed."""

    ALL = "all"
    SINCE = "since"
    OWED = "owed"
    DEBTS = "debts"


class Stage(StrEnum):
    """In this order; a replay of `debts` starts with `pay`."""

    LINK = "link"
    COMPONENTS = "components"
    COUNT = "count"
    WALK = "walk"
    PAY = "pay"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Replay:
    """The one replay of a link. Times are epoch milliseconds.

    `run` identifies it from start to end; `why` it was started is for people. `resets` counts how
    often the site was to get everything again, and `generation` is the one that the last walk was
    started for (see `relay.tenants.replay`). `cursor` is where a stage continues. `done` of
    `total` are settled, `refused` of them by Jira. `owed` counts what was noted while it ran, so
    that it can't end without a last look. `due` is when it may continue, `leased` until when a
    worker has it; `attempts` counts the workers in a row that took it and saved nothing, as they
    were cut off. Some debts may be postponed when it is done: `again` is when the first of them is
    due, or 0.
    """

    tenant_id: str
    workspace_id: str
    resets: int = 0
    generation: int = 0
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
        return self.stage is Stage.DONE

    def is_due_again(self, now: int) -> bool:
        """Whether it is done, and a postponed debt is due."""
        return self.is_done and 0 < self.again <= now


def new_run() -> str:
    return uuid4().hex


# What an attribute of the item is called; the two ids are in its key.
_ATTRIBUTES = {
    field.name: to_camel(field.name)
    for field in fields(Replay)
    if field.name not in ("tenant_id", "workspace_id")
} | {"scope": "what"}
_TEXTS = frozenset({"run", "why", "since", "cursor", "reason"})


def attributes_of(replay: Replay) -> dict[str, Any]:
    """The attributes of its item, but for the key."""
    return {attribute: getattr(replay, name) for name, attribute in _ATTRIBUTES.items()}


def replay_of(tenant_id: str, workspace_id: str, item: Item) -> Replay:
    """The replay of an item; attributes that an earlier version did not write have defaults."""
    values: dict[str, Any] = {
        name: item[attribute] if name in _TEXTS else _typed(name, item[attribute])
        for name, attribute in _ATTRIBUTES.items()
        if item.get(attribute) is not None
    }
    return Replay(tenant_id, workspace_id, **values)


def _typed(name: str, value: Any) -> Any:
    return {"scope": ReplayScope, "stage": Stage}.get(name, int)(value)


def generation(tenant: Tenant, replay: Replay | None) -> int:
    """The current generation of the link that this is the replay of; None where it has none."""
    # Without the app the site holds nothing: it is already in the generation of its next install.
    uninstalled = tenant.state is TenantState.UNINSTALLED
    return generation_at(tenant.installs + uninstalled, replay.resets if replay else 0)


def generation_at(installs: int, resets: int) -> int:
    """`installs` are the tenant's, `resets` the replay's."""
    return installs + resets


def is_behind(replay: Replay | None, installs: int) -> bool:
    """Whether the site has started over since the last replay of the whole record was started."""
    return replay is None or replay.generation < generation_at(installs, replay.resets)
