"""What the benchmarks run against: the harness's stage, with tables that keep up with Relay."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from infra.harness.clock import Clock
from infra.harness.fleet import Fleet
from infra.harness.invoker import Invoker
from infra.harness.stage import Stage, stage
from infra.harness.subject import run_subject
from infra.harness.world import World
from infra.local.environment import bare_environment
from infra.local.paths import ROOT
from infra.local.screen import Screen

# `workspace_id`, `site` (Relay's id of it), `base_url`, `client_key`, `secret`.
Place = dict[str, str]


@dataclass(frozen=True, eq=False)
class Stand:
    stage: Stage
    screen: Screen
    world: World

    def place(self, prefix: str) -> Place:
        """A new site, and a new workspace that is linked to it, both named after the prefix."""
        name = f"{prefix}-{len(self.world.sites) + 1}"
        self.world.put_workspace(name)
        site = self.world.create(name)
        self.world.link(site, name)
        document = self.stage.jira.site(name)
        return {
            "workspace_id": name,
            "site": site.id,
            "base_url": document["baseUrl"],
            "client_key": document["clientKey"],
            "secret": document["sharedSecret"],
        }

    def check_delivered(self, place: Place, count: int, sequence: int) -> None:
        """Raises unless the site holds this many incidents, all in this sequence."""
        path = f"/sites/{place['workspace_id']}/sequences"
        held = self.stage.jira.http.get(path).raise_for_status().json()["incident"]
        if len(held) != count or set(held.values()) != {sequence}:
            raise RuntimeError(f"{place['workspace_id']} holds {len(held)} of {count} incidents.")

    def run(self, subject: str, **given: Any) -> Any:
        """Call the subject (`module:function`, of this package) in a new process, which has the
        functions' variables and nothing of the user's AWS."""
        path = f"{ROOT / 'shared'}:{ROOT}"
        environment = bare_environment(**self.stage.environment, PYTHONPATH=path)
        log = self.stage.folder / "subject.log"
        return run_subject(f"{__package__}.{subject}", given, environment, log)


@contextmanager
def stand(screen: Screen) -> Iterator[Stand]:
    screen.say("Starting the tables, MiniStack and the Jira simulator …")
    with (
        stage(fast_tables=True) as running,
        closing(Fleet(1, running.environment, running.log)) as fleet,
    ):
        invoker = Invoker(fleet, Clock(), running.api_key)
        running.listener.handle = invoker.http
        yield Stand(running, screen, World(running, invoker))
