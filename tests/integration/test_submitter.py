"""From the queue to the record and to every linked site, over HTTP, with real tokens."""

import io
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import relay.edge.consumer
import relay.table
from relay.entities.model import EntityKey, EntityState, Kind
from relay.entities.workspace_ids import WORKSPACE_PROPERTY, WorkspaceIds, without_key
from relay.queues.submissions import Message, packed
from relay.record.outcomes import Outcome, OutcomeState
from relay.record.store import RecordStore
from relay.telemetry import logger
from relay.tenants.lifecycle import LifecycleToken
from relay.tenants.tenant import Installation, Tenant
from tests.integration.relay_stage import new_name
from tests.integration.replays_stage import let_time_pass, received, run_replays
from tests.integration.simulator_stage import ProviderApp, Simulator, running_app
from tests.support.aws import Aws
from tests.support.aws_calls import AwsCalls, client_error
from tests.support.entities import incident, review
from tests.support.gateway import connections_closed
from tests.support.lambdas import APP_KEY, Context, sqs_event

_NUMBERS = itertools.count(1)


def inc(entity_id: str, sequence: int = 1, **fields: Any) -> EntityState:
    return EntityState(Kind.INCIDENT, incident(entity_id, sequence, **fields))


def rev(entity_id: str, sequence: int = 1, **fields: Any) -> EntityState:
    return EntityState(Kind.REVIEW, review(entity_id, sequence, **fields))


def message(*states: EntityState, workspace: str = "w", correlation_id: str = "c") -> str:
    """The only message of these states."""
    ((_, body),) = packed(Message(workspace, correlation_id, states))
    return body


@dataclass
class Submitter:
    """The function and its collaborators."""

    function: ModuleType
    replayer: ModuleType
    aws: Aws

    def let_time_pass(self) -> None:
        """Make sites in trouble and replays due."""
        let_time_pass(self.aws)
        run_replays(self.aws, self.replayer)

    @property
    def record(self) -> RecordStore:
        return RecordStore(self.aws.dynamodb, "RecordTable")

    def receive(self, *bodies: str, times: Mapping[int, int] | None = None) -> list[int]:
        """Let the submitter receive these messages together, each with its receive count (1 by
        default); return the numbers of those that return.
        """
        event = sqs_event(*bodies)
        for number, time in (times or {}).items():
            event["Records"][number]["attributes"]["ApproximateReceiveCount"] = str(time)
        answer = self.function.handler(event, Context())
        failures = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        assert len(set(failures)) == len(failures)
        return sorted(int(failure.removeprefix("message-")) for failure in failures)

    def link(self, document: dict[str, Any], *workspaces: str) -> Tenant:
        """A site with the app installed, linked to these workspaces."""
        installation = Installation(
            document["clientKey"], document["baseUrl"], document["sharedSecret"]
        )
        number = next(_NUMBERS)
        tenant: Tenant = self.function.parts.tenants.install(
            installation, LifecycleToken(number, f"token-{number}")
        )
        for workspace in workspaces:
            self.function.parts.links.link(tenant.id, workspace)
        return tenant

    def at_site(self, own_id: str, workspace: str = "w") -> str:
        """The entity's id at the sites linked to this workspace."""
        ids: WorkspaceIds = self.function.parts.links.of_workspace(workspace)[0].ids
        return ids.at_site(own_id)

    def dead_letters(self) -> list[dict[str, Any]]:
        return received(self.aws, self.aws.environment["SUBMISSIONS_DEAD_LETTERS"])

    def recorded(self, workspace: str = "w") -> dict[str, int]:
        return {
            entry.key.id: entry.sequence
            for entry in self.record.entries(workspace)
            if entry.entity is not None
        }

    def outcomes(self, tenant: Tenant, workspace: str = "w") -> dict[str, Outcome]:
        found = self.record.outcomes(workspace, tenant.id)
        return {outcome.key.id: outcome for outcome in found}


@dataclass(frozen=True)
class Site:
    """A site of the simulator."""

    simulator: Simulator
    name: str

    @property
    def document(self) -> dict[str, Any]:
        return self.simulator.site(self.name)

    def sequences(self, kind: str = "incident") -> dict[str, int]:
        found = self._entities(kind)["entities"]
        assert len({entity["id"] for entity in found}) == len(found)
        return {without_key(entity["id"]): entity["updateSequenceNumber"] for entity in found}

    def properties(self) -> dict[str, dict[str, str]]:
        """The properties by the operations tool's own ids, without Relay's own property, which is
        the workspace's key.
        """
        found = self._entities("incident")["properties"]
        own = {}
        for site_id, properties in found.items():
            assert properties.pop(WORKSPACE_PROPERTY) == site_id.partition(".")[0]
            own[without_key(site_id)] = properties
        return own

    def calls(self) -> list[dict[str, Any]]:
        return self.simulator.calls(self.name)

    def sent(self) -> list[tuple[int, int]]:
        """The numbers of incidents and reviews of each submission."""
        return [(call["incidents"], call["reviews"]) for call in self.calls()]

    def _entities(self, kind: str) -> dict[str, Any]:
        path = f"/sites/{self.name}/entities?kind={kind}"
        return dict(self.simulator.control("GET", path).json())


@dataclass
class Scripted:
    """A site that answers as scripted and records its requests."""

    base_url: str
    status: int = 202
    answer: Any = None
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        client_key = f"client-{self.base_url}"
        return {"clientKey": client_key, "baseUrl": self.base_url, "sharedSecret": "s" * 40}


@contextmanager
def scripted_site() -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            site.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            entities = [*site.bodies[-1].get("incidents", []), *site.bodies[-1].get("reviews", [])]
            accepted = {"acceptedIncidents": [entity["id"] for entity in entities]}
            self.send_response(site.status)
            self.end_headers()
            answer = accepted if site.answer is None else site.answer
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the server's log out of the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        site = Scripted(f"http://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def app() -> Iterator[ProviderApp]:
    """The app that the simulator installs; the secrets are then written to the tenants directly."""
    with running_app() as app:
        app.changes["key"] = APP_KEY
        yield app


@pytest.fixture
def new_site(simulator: Simulator, app: ProviderApp) -> Callable[[], Site]:
    def make() -> Site:
        name = new_name()
        simulator.create(name)
        simulator.install(name, app).raise_for_status()
        return Site(simulator, name)

    return make


@pytest.fixture
def submitter(
    function: Callable[..., ModuleType], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Submitter]:
    monkeypatch.setattr(relay.table, "_BACKOFF_SECONDS", 0)
    with connections_closed(monkeypatch):
        yield Submitter(function("submitter"), function("replayer"), aws)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with scripted_site() as site:
        yield site


# --- Few calls ---


def test_waiting_entities_cost_a_call_per_thousand(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    site = new_site()
    submitter.link(site.document, "w")
    # The emulated database would need a minute for so many, so here it just accepts them.
    submitter.function.parts.dynamodb.meta.events.register(
        "before-call.dynamodb.TransactWriteItems",
        lambda **_: (SimpleNamespace(status_code=200), {}),
    )
    incidents = [inc(f"i-{number}") for number in range(2500)]
    reviews = [rev(f"r-{number}") for number in range(40)]
    parts = [incidents[:1300], incidents[1300:1400] + reviews[:15], incidents[1400:] + reviews[15:]]

    assert submitter.receive(*(message(*part) for part in parts)) == []

    assert sorted(site.sent(), reverse=True) == [(1000, 0), (1000, 0), (500, 0), (0, 40)]
    assert site.sequences("incident") == {state.key.id: 1 for state in incidents}
    assert site.sequences("review") == {state.key.id: 1 for state in reviews}


def test_many_states_of_an_entity_cost_one_call_with_the_newest(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    site = new_site()
    submitter.link(site.document, "w")
    bodies = [
        message(*(inc(f"i-{number}", sequence) for number in range(10)))
        for sequence in (3, 1, 5, 2, 4, 5)
    ]

    assert submitter.receive(*bodies) == []

    assert site.sent() == [(10, 0)]
    assert set(site.sequences().values()) == {5}


def test_each_linked_site_gets_everything_in_its_own_call(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    sites = [new_site(), new_site()]
    for site in sites:
        submitter.link(site.document, "w")

    submitter.receive(message(inc("i"), rev("r")))

    for site in sites:
        assert sorted(site.sent()) == [(0, 1), (1, 0)]
        assert (site.sequences(), site.sequences("review")) == ({"i": 1}, {"r": 1})


def test_different_properties_are_sent_in_separate_requests(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    site = new_site()
    submitter.link(site.document, "w")
    of_team = {
        team: EntityState(Kind.INCIDENT, incident(f"of-{team}"), {"team": team}) for team in "ab"
    }

    submitter.receive(message(of_team["a"]), message(of_team["b"]), message(inc("nobodys")))

    assert len(site.calls()) == 3
    assert site.properties() == {"of-a": {"team": "a"}, "of-b": {"team": "b"}, "nobodys": {}}


# --- The newest wins ---


def test_reordered_and_repeated_messages_never_restore_an_old_state(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    site = new_site()
    tenant = submitter.link(site.document, "w")

    for sequence in (2, 1, 2, 3, 1, 3, 2):
        assert submitter.receive(message(inc("i", sequence))) == []

    assert site.sequences() == submitter.recorded() == {"i": 3}
    assert submitter.outcomes(tenant)["i"].sequence == 3
    # Only the two new ones were sent.
    assert len(site.calls()) == 2


def test_record_and_site_have_the_first_of_two_states_with_the_same_sequence(
    submitter: Submitter, scripted: Scripted
) -> None:
    submitter.link(scripted.document, "w")
    scripted.status = 503
    first, second = message(inc("i", summary="first")), message(inc("i", summary="second"))
    assert submitter.receive(first) == []
    scripted.status = 202
    scripted.bodies.clear()

    assert submitter.receive(second, first) == []
    submitter.let_time_pass()

    (entity,) = scripted.bodies[0]["incidents"]
    assert entity["summary"] == "first"
    entry = submitter.record.get("w", EntityKey(Kind.INCIDENT, "i"))
    assert entry
    [link] = submitter.function.parts.links.of_workspace("w")
    assert entry.entity == link.ids.own_entity(entity)


# --- Sites that fail ---


def test_a_failing_site_does_not_delay_another(
    submitter: Submitter, new_site: Callable[[], Site], scripted: Scripted
) -> None:
    healthy = new_site()
    submitter.link(healthy.document, "both", "alone")
    failing = submitter.link(scripted.document, "both")
    scripted.status = 503
    bodies = [
        message(inc("a", 1), rev("r", 1), workspace="both"),
        message(inc("x"), workspace="alone"),
        message(inc("b", 1), workspace="both"),
    ]

    assert submitter.receive(*bodies) == []

    assert submitter.recorded("both") == {"a": 1, "b": 1, "r": 1}
    assert healthy.sequences() == {"a": 1, "b": 1, "x": 1}
    assert submitter.outcomes(failing, "both") == {}
    # Nothing more was sent after the first such answer.
    assert len(scripted.bodies) == 1

    scripted.status = 202
    scripted.bodies.clear()
    before = len(healthy.calls())
    submitter.let_time_pass()

    assert len(healthy.calls()) == before
    delivered = [
        without_key(entity["id"])
        for body in scripted.bodies
        for kind in Kind
        for entity in body.get(kind.plural, ())
    ]
    assert sorted(delivered) == ["a", "b", "r"]
    assert {outcome.state for outcome in submitter.outcomes(failing, "both").values()} == {
        OutcomeState.ACCEPTED
    }


@pytest.mark.parametrize("status", [302, 401, 403, 404, 409, 429, 500, 503])
def test_an_undelivered_entity_is_owed_and_its_message_does_not_return(
    submitter: Submitter, scripted: Scripted, status: int
) -> None:
    tenant = submitter.link(scripted.document, "w")
    scripted.status = status

    for sequence in (1, 2):
        assert submitter.receive(message(inc("i", sequence))) == []

    # A site known to be in trouble is not called.
    assert len(scripted.bodies) == 1
    assert submitter.outcomes(tenant) == {}
    scripted.status = 202
    submitter.let_time_pass()
    assert submitter.outcomes(tenant)["i"].state is OutcomeState.ACCEPTED
    assert scripted.bodies[-1]["incidents"][0]["updateSequenceNumber"] == 2


def test_a_site_without_the_app_is_owed_until_the_reinstall(
    submitter: Submitter, new_site: Callable[[], Site], app: ProviderApp
) -> None:
    """Jira refuses the token: the entities are not lost and do not count as delivered."""
    site = new_site()
    submitter.link(site.document, "w")
    site.simulator.control("POST", f"/sites/{site.name}/uninstall")
    assert submitter.receive(message(inc("i"))) == []

    site.simulator.install(site.name, app).raise_for_status()
    submitter.link(site.document)
    submitter.let_time_pass()

    # Higher than any earlier sequence, because Jira may remember those of deleted entities.
    assert site.sequences() == {"i": 2}


def test_an_unreachable_site_is_owed(submitter: Submitter, scripted: Scripted) -> None:
    document = scripted.document | {"baseUrl": "http://127.0.0.1:9"}
    submitter.link(document, "w")

    assert submitter.receive(message(inc("i"))) == []
    assert submitter.recorded() == {"i": 1}


def test_entities_answered_before_a_failure_are_not_sent_again(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    """The site fails between two requests: the first is answered, the second is not."""
    site = new_site()
    submitter.link(site.document, "w")
    site.simulator.fail(site.name, {"kind": "error", "status": 503, "rate": 1, "times": 1}, seed=1)
    assert submitter.receive(message(inc("i"), rev("r"))) == []
    assert site.sequences() == {}

    submitter.let_time_pass()

    assert (site.sequences(), site.sequences("review")) == ({"i": 1}, {"r": 1})
    submissions = [call for call in site.calls() if call["operation"] == "submitEntity"]
    assert [call["status"] for call in submissions] == [503, 202, 202]


# --- Outcomes ---


def test_the_outcome_of_each_entity_is_saved_with_jiras_messages(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    def associated(*issues: str) -> list[dict[str, Any]]:
        return [{"associationType": "issueIdOrKeys", "values": list(issues)}]

    site = new_site()
    tenant = submitter.link(site.document, "w")
    states = (
        inc("fine"),
        inc("bad", status="burning"),
        inc("lost", associations=associated("GONE-1", "AWAY-2")),
        inc("known", associations=associated("GONE-1", "OPS-1")),
        rev("review", status="open"),
    )

    assert submitter.receive(message(*states)) == []

    found = submitter.outcomes(tenant)
    assert {entity_id: outcome.state for entity_id, outcome in found.items()} == {
        "fine": OutcomeState.ACCEPTED,
        "bad": OutcomeState.REJECTED,
        "lost": OutcomeState.UNKNOWN_PROJECTS,
        "known": OutcomeState.ACCEPTED,
        "review": OutcomeState.REJECTED,
    }
    assert "must be one of open, resolved, unknown" in found["bad"].messages[0]
    assert "errorTraceId" in found["bad"].messages[0]
    assert set(found["lost"].unknown_project_keys) == {"GONE", "AWAY"}
    assert site.sequences() == {"fine": 1, "known": 1}
    # Answered entities are done, accepted or rejected.
    before = len(site.calls())
    assert submitter.receive(message(*states)) == []
    assert len(site.calls()) == before


def test_each_site_has_its_own_outcomes(
    submitter: Submitter, new_site: Callable[[], Site], scripted: Scripted
) -> None:
    good = submitter.link(new_site().document, "w")
    bad = submitter.link(scripted.document, "w")
    scripted.answer = {"failedIncidents": {submitter.at_site("i"): [{"message": "not here"}]}}

    assert submitter.receive(message(inc("i"))) == []

    assert submitter.outcomes(good)["i"].state is OutcomeState.ACCEPTED
    assert submitter.outcomes(bad)["i"].messages == ("not here",)


def test_an_entity_missing_from_an_answer_is_unaccounted(
    submitter: Submitter, scripted: Scripted
) -> None:
    tenant = submitter.link(scripted.document, "w")
    answers: list[Any] = [{"acceptedIncidents": []}, {"acceptedIncidents": ["another"]}]

    for number, scripted.answer in enumerate(answers):
        assert submitter.receive(message(inc(f"i-{number}"))) == []

    found = [outcome.state for outcome in submitter.outcomes(tenant).values()]
    assert found == [OutcomeState.UNACCOUNTED] * len(answers)


def test_a_site_with_a_small_limit_gets_all_but_the_oversized_entity(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    site = new_site()
    tenant = submitter.link(site.document, "w")
    site.simulator.set(maxBodyBytes=2500)
    states = [inc(f"i-{number}") for number in range(20)]
    states[7] = inc("i-7", description="x" * 4000)

    assert submitter.receive(message(*states)) == []

    assert len(site.sequences()) == 19
    outcome = submitter.outcomes(tenant)["i-7"]
    assert outcome.state is OutcomeState.REJECTED
    assert "too large" in outcome.messages[0]


# --- Unlinked workspaces and sites ---


def test_an_unlinked_workspace_is_only_recorded(submitter: Submitter) -> None:
    assert submitter.receive(message(inc("i", 1)), message(inc("i", 2))) == []
    assert submitter.recorded() == {"i": 2}


def test_a_site_that_has_uninstalled_the_app_is_skipped(
    submitter: Submitter, scripted: Scripted
) -> None:
    tenant = submitter.link(scripted.document, "w")
    number = next(_NUMBERS)
    submitter.function.parts.tenants.uninstall(
        tenant.client_key, LifecycleToken(number, f"t-{number}")
    )

    assert submitter.receive(message(inc("i"))) == []

    assert scripted.bodies == []
    assert submitter.recorded() == {"i": 1}


def test_a_workspace_is_delivered_to_its_own_sites_only(
    submitter: Submitter, new_site: Callable[[], Site]
) -> None:
    sites = {workspace: new_site() for workspace in ("a", "ab")}
    for workspace, site in sites.items():
        submitter.link(site.document, workspace)

    submitter.receive(message(inc("i"), workspace="a"), message(inc("j"), workspace="ab"))

    assert sites["a"].sequences() == {"i": 1}
    assert sites["ab"].sequences() == {"j": 1}
    assert submitter.recorded("a") == {"i": 1}


# --- When AWS fails ---


def fail_writing(calls: AwsCalls, attempts: range) -> None:
    """Let these upcoming transactions fail."""
    numbers = itertools.count()

    def before(operation: str) -> None:
        if operation == "TransactWriteItems" and next(numbers) in attempts:
            raise client_error("InternalServerError")

    calls.before = before


def test_an_unrecorded_entity_is_not_delivered_and_its_message_returns(
    submitter: Submitter, calls: AwsCalls, scripted: Scripted
) -> None:
    submitter.link(scripted.document, "w", "other")
    fail_writing(calls, range(1))
    first, second = message(inc("i", 1)), message(inc("j", 1))

    assert submitter.receive(first, message(inc("x"), workspace="other"), second) == [0, 2]

    assert [body["incidents"][0]["id"] for body in scripted.bodies] == [
        submitter.at_site("x", "other")
    ]
    assert submitter.recorded("w") == {}
    assert submitter.receive(first, second) == []
    assert submitter.recorded("w") == {"i": 1, "j": 1}
    assert len(scripted.bodies) == 2


def test_a_half_recorded_batch_is_not_delivered(
    submitter: Submitter, calls: AwsCalls, scripted: Scripted
) -> None:
    submitter.link(scripted.document, "w")
    body = message(*(inc(f"{number:03}") for number in range(101)))
    fail_writing(calls, range(1, 2))

    assert submitter.receive(body) == [0]
    assert scripted.bodies == []
    assert len(submitter.recorded()) == 100

    assert submitter.receive(body) == []
    assert [len(sent["incidents"]) for sent in scripted.bodies] == [101]


def test_an_entity_whose_outcome_was_not_saved_is_delivered_again(
    submitter: Submitter, calls: AwsCalls, new_site: Callable[[], Site]
) -> None:
    site = new_site()
    tenant = submitter.link(site.document, "w")
    fail_writing(calls, range(1, 2))

    assert submitter.receive(message(inc("i"))) == [0]
    assert submitter.outcomes(tenant) == {}
    assert submitter.receive(message(inc("i"))) == []

    assert len(site.calls()) == 2
    assert site.sequences() == {"i": 1}
    assert submitter.outcomes(tenant)["i"].state is OutcomeState.ACCEPTED


def test_a_table_that_keeps_refusing_returns_the_messages(
    submitter: Submitter, calls: AwsCalls, scripted: Scripted
) -> None:
    submitter.link(scripted.document, "w")
    fail_writing(calls, range(100))

    assert submitter.receive(message(inc("i"))) == [0]
    assert scripted.bodies == []


def test_unreadable_links_return_the_messages(
    submitter: Submitter, calls: AwsCalls, scripted: Scripted
) -> None:
    submitter.link(scripted.document, "w")

    def before(operation: str) -> None:
        if operation == "Query":
            raise client_error("ProvisionedThroughputExceededException")

    calls.before = before
    assert submitter.receive(message(inc("i"))) == [0]
    calls.no_more_trouble()
    assert submitter.receive(message(inc("i"))) == []
    assert len(scripted.bodies) == 1


def test_a_site_with_an_unreadable_secret_does_not_delay_the_others(
    submitter: Submitter, calls: AwsCalls
) -> None:
    with scripted_site() as one, scripted_site() as other:
        for site in (one, other):
            submitter.link(site.document, "w")
        decrypted = itertools.count()

        def before(operation: str) -> None:
            if operation == "Decrypt" and next(decrypted) == 0:
                raise client_error("KMSInternalException")

        calls.before = before
        assert submitter.receive(message(inc("i"))) == []
        assert sorted([len(one.bodies), len(other.bodies)]) == [0, 1]

        submitter.let_time_pass()
        assert [len(one.bodies), len(other.bodies)] == [1, 1]


# --- Messages ---


def test_an_unreadable_message_fails_alone(submitter: Submitter, scripted: Scripted) -> None:
    submitter.link(scripted.document, "w")

    assert submitter.receive("junk", message(inc("i")), "AAAA", message(inc("j"))) == []

    sent = scripted.bodies[0]["incidents"]
    assert [without_key(entity["id"]) for entity in sent] == ["i", "j"]
    letters = submitter.dead_letters()
    assert {letter["Body"] for letter in letters} == {"junk", "AAAA"}
    for letter in letters:
        assert "not a message" in letter["MessageAttributes"]["reason"]["StringValue"]


def test_a_flood_of_one_workspace_delays_no_other(submitter: Submitter, scripted: Scripted) -> None:
    submitter.link(scripted.document, "flood", "quiet")
    flood = [message(inc(f"f-{number}"), workspace="flood") for number in range(3)]
    event = sqs_event(*flood, message(inc("q"), workspace="quiet"))
    for record, group in zip(event["Records"], [*["flood"] * 3, "quiet"], strict=True):
        record["attributes"]["MessageGroupId"] = group

    assert submitter.function.handler(event, Context())["batchItemFailures"] == []

    sent = [entity["id"] for body in scripted.bodies for entity in body["incidents"]]
    assert [without_key(entity_id) for entity_id in sent] == ["q", "f-0", "f-1", "f-2"]


def test_messages_beyond_the_available_time_return(
    submitter: Submitter, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitter.link(scripted.document, "w")
    monkeypatch.setattr(relay.edge.consumer, "SLICE_ENTITIES", 2)
    bodies = [message(inc(f"i-{number}")) for number in range(5)]
    monkeypatch.setattr(
        Context,
        "get_remaining_time_in_millis",
        lambda _: 30_000 if len(submitter.recorded()) == 4 else 60_000,
    )

    assert submitter.receive(*bodies) == [4]

    assert submitter.recorded() == {f"i-{number}": 1 for number in range(4)}
    monkeypatch.undo()
    assert submitter.receive(bodies[4]) == []
    assert len(submitter.recorded()) == 5


@pytest.mark.parametrize(("times", "left"), [(5, "old"), (6, "new")])
def test_messages_received_often_are_handled_before_new_ones(
    submitter: Submitter,
    scripted: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    left: str,
) -> None:
    """Otherwise it would never be handled while new messages use up the time."""
    submitter.link(scripted.document, "w")
    monkeypatch.setattr(
        Context,
        "get_remaining_time_in_millis",
        lambda _: 30_000 if submitter.recorded() else 60_000,
    )

    returned = submitter.receive(message(inc("new")), message(inc("old")), times={1: times})

    assert returned == [["new", "old"].index(left)]
    assert submitter.recorded().keys() == {"new", "old"} - {left}


def test_a_message_received_often_is_handled_before_those_of_smaller_workspaces(
    submitter: Submitter, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a large workspace's would return for as long as others use up the time."""
    submitter.link(scripted.document, "large", "small")
    monkeypatch.setattr(relay.edge.consumer, "SLICE_ENTITIES", 1)
    monkeypatch.setattr(
        Context,
        "get_remaining_time_in_millis",
        lambda _: 30_000 if scripted.bodies else 60_000,
    )
    event = sqs_event(
        message(inc("s"), workspace="small"),
        message(inc("l"), inc("m"), inc("n"), workspace="large"),
    )
    for record, group, times in zip(event["Records"], ("small", "large"), (2, 6), strict=True):
        record["attributes"] = {"MessageGroupId": group, "ApproximateReceiveCount": str(times)}

    answer = submitter.function.handler(event, Context())

    assert answer["batchItemFailures"] == [{"itemIdentifier": "message-0"}]
    assert submitter.recorded("large").keys() == {"l", "m", "n"}


def test_messages_are_sliced_by_their_inflated_bytes(
    submitter: Submitter, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice ends with the message that reaches its limit; the next slice starts after it."""
    submitter.link(scripted.document, "w")
    bodies = [message(inc(f"i-{number}", description="x" * 4000)) for number in range(5)]
    monkeypatch.setattr(relay.edge.consumer, "_SLICE_BYTES", 10_000)

    assert submitter.receive(*bodies) == []

    assert [len(body["incidents"]) for body in scripted.bodies] == [3, 2]
    assert submitter.recorded() == {f"i-{number}": 1 for number in range(5)}


def test_an_empty_batch_succeeds(submitter: Submitter) -> None:
    assert submitter.receive() == []


def test_the_log_names_every_submission_without_its_content(
    submitter: Submitter,
    new_site: Callable[[], Site],
    scripted: Scripted,
    calls: AwsCalls,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    secret = "Xq7-of-a-customer"
    site = new_site()
    for document in (site.document, scripted.document):
        submitter.link(document, "w")
    scripted.status, scripted.answer = 503, [{"message": f"not {secret}"}]
    bodies = [
        message(inc("i", summary=secret), correlation_id="deploy-1"),
        message(inc("j", status=secret), correlation_id="deploy-2"),
    ]

    submitter.receive(*bodies, "junk")
    scripted.status = 400
    submitter.receive(bodies[0])
    fail_writing(calls, range(100))
    submitter.receive(message(inc("k", summary=secret), correlation_id="deploy-3"))

    printed = log.getvalue() + "".join(capsys.readouterr())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    for correlation_id, end in (
        ("deploy-1", "Message done"),
        ("deploy-2", "Message done"),
        ("deploy-3", "Message will be retried"),
    ):
        ends = [line["message"] for line in lines if line.get("correlation_id") == correlation_id]
        assert end in ends
    deliveries = [line for line in lines if line["message"] == "Jira accepted a batch"]
    assert deliveries[0]["correlation_ids"] == ["deploy-1", "deploy-2"]
    assert all(line["workspace_id"] == "w" and line["tenant_id"] for line in deliveries)
    assert "A message can't be read" in printed
    for hidden in (secret, site.document["sharedSecret"], "s" * 40, "JWT ", "eyJ"):
        assert hidden not in printed


def test_finished_work_is_counted(
    submitter: Submitter, scripted: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    submitter.link(scripted.document, "w")
    scripted.answer = {
        "acceptedIncidents": [submitter.at_site("i")],
        "failedIncidents": {submitter.at_site("j"): [{"message": "no"}]},
    }
    submitter.receive(message(inc("i"), inc("j")), "junk")
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    submitter.receive(message(inc("i", 0)))
    second = json.loads(capsys.readouterr().out.splitlines()[-1])

    assert {name: first[name] for name in first if name.startswith(("Entities", "Jira"))} == {
        "EntitiesRecorded": [2.0],
        "EntitiesDelivered": [1.0],
        "EntitiesRejected": [1.0],
        "JiraCalls": [1.0],
    }
    assert first["PoisonMessages"] == [1.0]
    assert second["EntitiesOutdated"] == [1.0]
