"""The environment of the benchmarks: the harness's stage with fast tables."""

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

# `workspace_id`, `site` (its id in Relay), `base_url`, `client_key`, `secret`.
Place = dict[str, str]


@dataclass(frozen=True, eq=False)
class Stand:
    """The running stage, with the calls that prepare and check a benchmark."""

    stage: Stage
    screen: Screen
    world: World

    def place(self, prefix: str) -> Place:
        """Creates a site and a workspace linked to it, both named after the prefix."""
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
        """Raises RuntimeError unless the site has this many incidents, all with this sequence."""
        path = f"/sites/{place['workspace_id']}/sequences"
        held = self.stage.jira.http.get(path).raise_for_status().json()["incident"]
        if len(held) != count or set(held.values()) != {sequence}:
            raise RuntimeError(f"{place['workspace_id']} holds {len(held)} of {count} incidents.")

    def run(self, subject: str, **given: Any) -> Any:
        """Calls the subject (`module:function` of this package) in a new process.

        The process has the functions' variables, but none of the user's AWS configuration.
        """
        path = f"{ROOT / 'shared'}:{ROOT}"
        environment = bare_environment(**self.stage.environment, PYTHONPATH=path)
        log = self.stage.folder / "subject.log"
        return run_subject(f"{__package__}.{subject}", given, environment, log)


@contextmanager
def stand(screen: Screen) -> Iterator[Stand]:
    """Starts the stage and stops it at the end."""
    screen.say("Starting the tables, MiniStack and the Jira simulator …")
    with (
        stage(fast_tables=True) as running,
        closing(Fleet(1, running.environment, running.log)) as fleet,
    ):
        invoker = Invoker(fleet, Clock(), running.api_key)
        running.listener.handle = invoker.http
        yield Stand(running, screen, World(running, invoker))
