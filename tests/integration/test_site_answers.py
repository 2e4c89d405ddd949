"""What each answer of a site leads to: for the entity, the site's trouble, and the calls made."""

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

import relay.delivery.decisions
import relay.jira.client
import relay.table
from relay.delivery.decisions import Reaction
from relay.delivery.session import SiteTrouble, Stopped
from relay.edge.shapes import sites as shapes
from relay.jira.errors import error_type, without_details
from relay.tenants.troubles import TroubleStore
from tests.integration.relay_stage import JiraSite, Relay, Start, install_from
from tests.integration.simulator_stage import Simulator
from tests.support.entities import incident, review

BULK = "/rest/operations/1.0/bulk"
AN_HOUR_MS = 3_600_000


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Relay times out after two seconds."""
    monkeypatch.setattr(relay.jira.client, "DEADLINE_SECONDS", 2)


@pytest.fixture
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that outlast the test on any machine."""
    monkeypatch.setitem(relay.delivery.decisions._BACKOFF, Reaction.RETRY, (300.0, 900.0))


@pytest.fixture
def relay_(start: Start, simulator: Simulator) -> Relay:
    return start("payments", "search", simulator=simulator)


@dataclass(frozen=True)
class ScriptedSite:
    """A site with configured answers, and how Relay handles them."""

    relay: Relay
    jira: JiraSite

    def answer(self, *faults: dict[str, Any]) -> None:
        """Answer with these faults from now on; without any, answer as Jira does."""
        self.jira.simulator.fail(self.jira.name, *faults)

    def link(self, *workspaces: str) -> None:
        for workspace in workspaces:
            answer = self.relay.provider("PUT", f"/v1/sites/{self.jira.id}/workspaces/{workspace}")
            assert answer.status == 200, answer.body
        # There is nothing to deliver yet.
        self.relay.run_replays()

    def calls(self) -> list[tuple[str, int, int, int | None]]:
        """The (method, incidents, reviews, status) of each call with entities; a call that was
        answered without being read counts none.
        """
        return [
            (call["method"], call["incidents"], call["reviews"], call["status"])
            for call in self.jira.simulator.calls(self.jira.name)
            if "linkedWorkspaces" not in call["path"]
        ]

    def document(self) -> dict[str, Any]:
        answer = self.relay.provider("GET", f"/v1/sites/{self.jira.id}")
        assert answer.status == 200, answer.body
        return dict(answer.json())

    @property
    def state(self) -> str:
        return str(self.document()["state"])

    @property
    def trouble(self) -> dict[str, Any]:
        return dict(self.document()["trouble"])

    def held(self, kind: str = "incident") -> dict[str, int]:
        return {
            entity_id: entity["updateSequenceNumber"]
            for entity_id, entity in self.jira.held(kind).items()
        }

    def of(self, entity_id: str, workspace: str = "payments", kind: str = "incidents") -> Any:
        """The entity's state in Relay."""
        answer = self.relay.provider("GET", f"/v1/workspaces/{workspace}/{kind}/{entity_id}")
        assert answer.status == 200, answer.body
        [found] = [one for one in answer.json()["sites"] if one["site"] == self.jira.id]
        return found

    def state_of(self, *ids: str, workspace: str = "payments") -> list[str]:
        return [self.of(entity_id, workspace)["state"] for entity_id in ids]

    def later(self) -> None:
        """Advance until the site's trouble is due."""
        self.relay.let_time_pass()
        self.relay.run_replays()

    def an_hour_ago(self) -> None:
        """Move everything known about the site's trouble back by an hour."""
        key = {"pk": {"S": f"tenant#{self.jira.id}"}, "sk": {"S": "trouble"}}
        aws = self.relay.aws
        table = aws.environment["TENANTS_TABLE"]
        item = aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
        for name in ("since", "at", "until"):
            item[name] = {"N": str(int(item[name]["N"]) - AN_HOUR_MS)}
        aws.dynamodb.put_item(TableName=table, Item=item)


@pytest.fixture
def new_site(relay_: Relay, simulator: Simulator) -> Callable[..., ScriptedSite]:
    def make(*workspaces: str) -> ScriptedSite:
        site = ScriptedSite(relay_, install_from(relay_, simulator))
        site.link(*workspaces)
        return site

    return make


@pytest.fixture
def site(new_site: Callable[..., ScriptedSite]) -> ScriptedSite:
    return new_site("payments")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def wait_of(trouble: dict[str, Any]) -> float:
    """The seconds for which the site is not called."""
    return (moment(trouble["until"]) - moment(trouble["at"])).total_seconds()


# --- Answers about the site ---


@dataclass(frozen=True)
class Case:
    fault: dict[str, Any]
    code: str
    status: int | None
    needs_attention: bool = False

    def __str__(self) -> str:
        return "-".join(str(value) for value in self.fault.values())[:40]


TROUBLES = [
    Case({"kind": "error", "status": 401}, "credential_refused", 401, True),
    Case({"kind": "revoked secret"}, "credential_refused", 401, True),
    Case({"kind": "forbidden"}, "access_refused", 403, True),
    Case({"kind": "error", "status": 404}, "nothing_there", 404, True),
    Case({"kind": "error", "status": 405}, "unexpected", 405, True),
    Case({"kind": "error", "status": 409}, "unexpected", 409, True),
    *(
        Case({"kind": "redirect", "status": status}, "moved", status, True)
        for status in (301, 302, 307)
    ),
    Case({"kind": "error", "status": 304}, "moved", 304, True),
    Case({"kind": "rate limit"}, "rate_limited", 429),
    Case({"kind": "rate limit", "retryAfter": "30"}, "rate_limited", 429),
    Case({"kind": "error", "status": 500}, "site_down", 500),
    Case({"kind": "error", "status": 502, "body": "<h1>Bad gateway</h1>"}, "site_down", 502),
    Case({"kind": "error", "status": 504, "body": ""}, "site_down", 504),
    Case({"kind": "suspended"}, "site_down", 503),
    Case({"kind": "drop before"}, "unreachable", None),
    Case({"kind": "drop after"}, "unreachable", None),
    Case({"kind": "unreadable"}, "unreadable", 202),
    Case({"kind": "unreadable", "body": ""}, "unreadable", 202),
    Case({"kind": "unreadable", "body": '["i"]'}, "unreadable", 202),
    Case({"kind": "error", "status": 200, "body": "<h1>Log in</h1>"}, "unreadable", 200),
    Case({"kind": "error", "status": 204}, "unreadable", 204),
]


@pytest.mark.usefixtures("long_pauses")
@pytest.mark.parametrize("case", TROUBLES, ids=str)
def test_an_answer_about_the_site_pauses_it_and_everything_is_owed(
    relay_: Relay, site: ScriptedSite, case: Case
) -> None:
    site.answer(case.fault)

    assert relay_.submit("payments", incidents=[incident("i")], reviews=[review("r")]) == []
    # Once in trouble, it receives nothing more, and no message returns for it.
    assert relay_.submit("payments", incidents=[incident("i", 2), incident("j")]) == []
    relay_.run_replays()

    assert len(site.calls()) == 1
    assert site.state == ("needs attention" if case.needs_attention else "slowed")
    trouble = site.trouble
    assert (trouble["code"], trouble.get("status")) == (case.code, case.status)
    assert trouble["attempts"] == 1
    assert trouble["since"] <= trouble["at"] < trouble["until"]
    for owed in (site.of("i"), site.of("j"), site.of("r", kind="reviews")):
        # For a site already in trouble, the reason is shown without the site's message.
        assert owed["state"] == "owed"
        assert owed["reason"] in (trouble["message"], without_details(trouble["message"]))
        assert owed["owedSince"]

    site.answer()
    site.later()

    assert site.state == "active"
    assert "trouble" not in site.document()
    assert (site.held(), site.held("review")) == ({"i": 2, "j": 1}, {"r": 1})
    assert site.state_of("i", "j") == ["accepted", "accepted"]
    assert site.calls()[1:] == [("POST", 2, 0, 202), ("POST", 0, 1, 202)]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang"},
        {"kind": "trickle", "seconds": 0.2, "part": "headers"},
        {"kind": "trickle", "seconds": 0.2, "part": "body"},
    ],
    ids=["hang", "trickling headers", "trickling body"],
)
def test_an_endless_answer_counts_as_an_unreachable_site(
    relay_: Relay, new_site: Callable[..., ScriptedSite], fault: dict[str, Any]
) -> None:
    site, healthy = new_site("payments"), new_site("payments")
    site.answer(fault)

    assert relay_.submit("payments", incidents=[incident("i")], reviews=[review("r")]) == []

    assert site.trouble["code"] == "unreachable"
    assert "status" not in site.trouble
    assert "Timeout" in site.trouble["message"]
    assert len(site.calls()) == 1
    assert (healthy.held(), healthy.held("review")) == ({"i": 1}, {"r": 1})
    assert healthy.state == "active"
    site.answer()
    site.later()
    assert (site.held(), site.held("review")) == ({"i": 1}, {"r": 1})


@pytest.mark.parametrize("gzip", [False, True])
def test_an_oversized_answer_counts_as_an_unreachable_site(
    relay_: Relay, site: ScriptedSite, gzip: bool
) -> None:
    site.answer({"kind": "oversized", "bytes": 50_000_000, "gzip": gzip})
    relay_.submit("payments", incidents=[incident("i")])
    assert site.trouble["code"] == "unreachable"
    assert "AnswerTooLarge" in site.trouble["message"]


def test_no_cookie_of_a_site_is_sent_to_it_or_to_another(
    relay_: Relay, new_site: Callable[..., ScriptedSite]
) -> None:
    """The simulator's sites share a host, so a browser would send them each other's cookies."""
    sites = [new_site("payments"), new_site("payments")]
    for site in sites:
        site.answer({"kind": "cookie"})
    for sequence in (1, 2):
        relay_.submit("payments", incidents=[incident("i", sequence)])
    calls = [call for site in sites for call in site.jira.simulator.calls(site.jira.name)]
    assert [call["fault"] for call in calls].count("cookie") >= 4
    assert {call["cookie"] for call in calls} == {None}


def test_an_accepted_state_without_an_answer_is_sent_again_unchanged(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "drop after"})
    relay_.submit("payments", incidents=[incident("i")])
    # Jira has it, but Relay cannot know.
    assert (site.held(), site.state_of("i")) == ({"i": 1}, ["owed"])

    site.answer()
    site.later()

    assert (site.held(), site.state_of("i")) == ({"i": 1}, ["accepted"])
    assert len(site.calls()) == 2


def test_a_redirect_is_reported_and_never_followed(
    relay_: Relay, new_site: Callable[..., ScriptedSite], simulator: Simulator
) -> None:
    site, elsewhere = new_site("payments"), new_site()
    new_url = simulator.site(elsewhere.jira.name)["baseUrl"]

    for status in (301, 302, 307):
        site.answer({"kind": "redirect", "status": status, "to": new_url})
        relay_.submit("payments", incidents=[incident("i", status)])
        site.later()

        assert f"points to {simulator.url}" in site.trouble["message"]
        assert site.trouble["status"] == status
        # The target is for people: its origin is shown, but its path may reveal too much.
        assert BULK not in site.trouble["message"]

    assert elsewhere.calls() == []
    assert site.held() == elsewhere.held() == {}


def test_only_unanswered_entities_are_owed(relay_: Relay, site: ScriptedSite) -> None:
    """The site fails between the incidents and the reviews."""
    site.answer(
        {"kind": "bucket", "capacity": 1, "perSecond": 0.0001, "retryAfter": False},
    )

    relay_.submit("payments", incidents=[incident("i")], reviews=[review("r")])

    assert site.of("i")["state"] == "accepted"
    assert site.of("r", kind="reviews")["state"] == "owed"
    site.answer()
    site.later()
    assert site.calls() == [("POST", 1, 0, 202), ("POST", 0, 0, 429), ("POST", 0, 1, 202)]


def test_a_deletion_is_owed_as_well(relay_: Relay, site: ScriptedSite) -> None:
    relay_.submit("payments", incidents=[incident("i"), incident("j")])
    site.answer({"kind": "suspended"})
    for entity_id in "ij":
        relay_.provider("DELETE", f"/v1/workspaces/payments/incidents/{entity_id}")

    assert relay_.run_queue() == []

    assert site.state_of("i", "j") == ["owed", "owed"]
    assert len(site.calls()) == 2
    site.answer()
    site.later()
    assert (site.held(), site.state_of("i", "j")) == ({}, ["deleted", "deleted"])
    assert len(site.calls()) == 4


# --- Retries ---


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [(429, "7", 7), (429, "0", 1), (429, "100000", 3600), (500, "7", 7), (503, "7", 7)],
)
def test_a_site_is_not_called_for_as_long_as_it_asks(
    relay_: Relay, site: ScriptedSite, status: int, said: str, seconds: float
) -> None:
    site.answer({"kind": "error", "status": status, "retryAfter": said})

    relay_.submit("payments", incidents=[incident("i")])

    assert wait_of(site.trouble) == seconds


def test_retry_after_may_be_a_date(relay_: Relay, site: ScriptedSite) -> None:
    then = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
    site.answer({"kind": "rate limit", "retryAfter": format_datetime(then, True)})

    relay_.submit("payments", incidents=[incident("i")])

    assert abs(moment(site.trouble["until"]) - then) < timedelta(seconds=1)


@pytest.mark.parametrize("said", ["soon", "nan", "-inf", "Sat, 99 Foo 2026"])
def test_an_invalid_retry_after_is_ignored(relay_: Relay, site: ScriptedSite, said: str) -> None:
    site.answer({"kind": "rate limit", "retryAfter": said})

    relay_.submit("payments", incidents=[incident("i")])

    assert 1 <= wait_of(site.trouble) <= 2


def test_a_waiting_site_gets_no_call_whatever_happens(relay_: Relay, site: ScriptedSite) -> None:
    relay_.submit("payments", incidents=[incident("there")])
    site.answer({"kind": "rate limit", "retryAfter": "900"})
    relay_.submit("payments", incidents=[incident("i")])
    before = site.calls()

    for sequence in range(2, 5):
        assert relay_.submit("payments", incidents=[incident("i", sequence)]) == []
        relay_.provider("DELETE", "/v1/workspaces/payments/incidents/there")
        assert relay_.run_queue() == []
        relay_.let_delays_pass()
        relay_.run_replays()
        relay_.sweep()
        asked = relay_.provider("POST", f"/v1/sites/{site.jira.id}/replay", {"what": "all"})
        assert asked.status == 202
        relay_.run_replays()

    assert site.calls() == before
    assert site.trouble["attempts"] == 1
    site.answer()
    site.later()
    assert site.held().keys() == {"i"}


def test_a_wait_longer_than_the_queues_delay_ends_by_the_schedule(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "rate limit", "retryAfter": "3600"})
    relay_.submit("payments", incidents=[incident("i")])
    site.answer()

    # The queue has no message for it.
    site.later()
    assert site.state_of("i") == ["owed"]

    relay_.sweep()
    assert (site.held(), site.state_of("i")) == ({"i": 1}, ["accepted"])


def test_each_failed_attempt_doubles_the_wait(relay_: Relay, site: ScriptedSite) -> None:
    site.answer({"kind": "error", "status": 500})
    relay_.submit("payments", incidents=[incident("i")])
    waits = [wait_of(site.trouble)]
    since = site.trouble["since"]

    for _ in range(5):
        site.later()
        waits.append(wait_of(site.trouble))

    assert len(site.calls()) == len(waits)
    for number, wait in enumerate(waits):
        assert 2**number <= wait <= 2 ** (number + 1)
    assert (site.trouble["attempts"], site.trouble["since"]) == (len(waits), since)
    assert site.of("i")["owedSince"]


def test_a_site_is_suspended_after_an_hour_of_only_503(relay_: Relay, site: ScriptedSite) -> None:
    site.answer({"kind": "suspended"})
    relay_.submit("payments", incidents=[incident("i")])
    site.later()
    assert (site.state, site.trouble["code"]) == ("slowed", "site_down")

    site.an_hour_ago()
    site.later()

    assert (site.state, site.trouble["code"]) == ("needs attention", "suspended")
    assert site.trouble["attempts"] == 3
    site.answer()
    site.later()
    relay_.sweep()
    assert (site.state, site.held()) == ("active", {"i": 1})


def test_it_needs_attention_after_an_hour_of_answers_that_are_not_jiras(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "unreadable"})
    relay_.submit("payments", incidents=[incident("i")])
    site.later()
    assert (site.state, site.trouble["code"]) == ("slowed", "unreadable")

    site.an_hour_ago()
    site.later()

    assert (site.state, site.trouble["code"]) == ("needs attention", "not_jira")
    assert site.trouble["code"] in shapes.TROUBLES


def test_another_answer_within_the_hour_prevents_suspension(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "suspended"})
    relay_.submit("payments", incidents=[incident("i")])
    site.answer({"kind": "error", "status": 502})
    site.later()
    site.an_hour_ago()
    assert site.trouble["code"] == "site_down"

    site.answer({"kind": "suspended"})
    for _ in range(2):
        site.later()
        assert (site.state, site.trouble["code"]) == ("slowed", "site_down")
    # The waits continue as before.
    assert site.trouble["attempts"] == 4

    site.an_hour_ago()
    site.later()
    assert site.trouble["code"] == "suspended"


# --- One attempt at a time ---


def test_all_workspaces_of_a_site_in_trouble_wait_for_one_attempt(
    relay_: Relay, new_site: Callable[..., ScriptedSite]
) -> None:
    site = new_site("payments", "search")
    site.answer({"kind": "error", "status": 500})
    for workspace in ("payments", "search"):
        relay_.submit(workspace, incidents=[incident(f"of-{workspace}")])
    assert len(site.calls()) == 1

    # Two replays are due; the first finds the trouble, and the other waits with it.
    for trials in range(2, 5):
        site.later()
        assert len(site.calls()) == trials
    assert site.trouble["attempts"] == 4

    site.answer()
    site.later()
    assert site.held().keys() == {"of-payments", "of-search"}
    assert site.state_of("of-payments") == site.state_of("of-search", workspace="search")
    assert len(site.calls()) == 6


def test_one_of_many_concurrent_callers_makes_the_attempt(
    relay_: Relay, site: ScriptedSite
) -> None:
    """Each reads the trouble first and claims the attempt later. Every order is run one call at a
    time, because the emulated DynamoDB is not atomic between threads.
    """
    site.answer({"kind": "error", "status": 500})
    relay_.submit("payments", incidents=[incident("i")])
    relay_.let_time_pass()
    dynamodb, table = relay_.aws.dynamodb, relay_.aws.environment["TENANTS_TABLE"]
    key = {"pk": {"S": f"tenant#{site.jira.id}"}, "sk": {"S": "trouble"}}
    due = dynamodb.get_item(TableName=table, Key=key)["Item"]
    troubles, tenant = TroubleStore(dynamodb, table), relay_.tenants.existing(site.jira.id)

    for order in sorted(set(itertools.permutations("aabbcc"))):
        dynamodb.put_item(TableName=table, Item=due)
        callers: dict[str, SiteTrouble] = {}
        allowed: list[str] = []
        for name in order:
            if name not in callers:
                callers[name] = SiteTrouble(troubles, tenant.id, troubles.of(tenant.id))
                continue
            with suppress(Stopped):
                callers[name].check_may_call()
                allowed.append(name)
        assert len(allowed) == 1, order


def test_a_later_failure_does_not_shorten_the_sites_retry_after(
    relay_: Relay, site: ScriptedSite
) -> None:
    """Two callers started while the site was healthy; the first receives Retry-After."""
    troubles = TroubleStore(relay_.aws.dynamodb, relay_.aws.environment["TENANTS_TABLE"])
    tenant = relay_.tenants.existing(site.jira.id)
    first, second = (SiteTrouble(troubles, tenant.id, None) for _ in range(2))

    first.failed(error_type(429)(429, (), "600"))
    second.failed(error_type(429)(429))

    assert wait_of(site.trouble) == 600


def test_a_refusal_of_a_request_ends_the_trouble_like_a_success(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "error", "status": 500})
    relay_.submit("payments", incidents=[incident("i")])

    site.answer({"kind": "refuse request", "message": "no such field"})
    site.later()

    assert site.state == "active"
    assert site.of("i")["state"] == "rejected"
    assert "no such field" in site.of("i")["messages"][0]


# --- Answers about the request ---


def test_the_one_bad_entity_of_a_thousand_is_found_in_few_calls(
    relay_: Relay, site: ScriptedSite, capsys: pytest.CaptureFixture[str]
) -> None:
    # The emulated database would need half a minute for so many, so here it just accepts them.
    relay_.gateway.functions["submitter"].parts.dynamodb.meta.events.register(
        "before-call.dynamodb.TransactWriteItems",
        lambda **_: (SimpleNamespace(status_code=200), {}),
    )
    site.answer({"kind": "refuse request", "pattern": r"\.i-637$"})
    capsys.readouterr()

    assert relay_.submit("payments", incidents=[incident(f"i-{n}") for n in range(1000)]) == []

    assert site.held().keys() == {f"i-{number}" for number in range(1000)} - {"i-637"}
    # Ten halvings with two calls each, and the first.
    assert len(site.calls()) <= 21
    taken = [incidents for _, incidents, _, status in site.calls() if status == 202]
    assert sum(taken) == 999
    assert site.state == "active"
    assert '"EntitiesRejected":[1.0]' in capsys.readouterr().out


def test_a_request_with_several_bad_entities_is_split_for_each(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "refuse request", "pattern": "bad", "message": "no such field"})
    ids = [f"i-{n}" for n in range(10)]
    good, bad = [incident(one) for one in ids], [incident("bad-1"), incident("bad-2")]

    relay_.submit("payments", incidents=[bad[0], *good, bad[1]], reviews=[review("r")])

    assert site.held().keys() == set(ids)
    assert site.held("review").keys() == {"r"}
    for entity_id in ("bad-1", "bad-2"):
        found = site.of(entity_id)
        assert found["state"] == "rejected"
        assert "no such field" in found["messages"][0]
    assert site.state == "active"


def test_a_rejected_entity_is_sent_again_only_in_a_newer_state(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "refuse request", "pattern": r"\.i$"})
    relay_.submit("payments", incidents=[incident("i")])
    relay_.submit("payments", incidents=[incident("i")])
    site.later()
    assert len(site.calls()) == 1

    site.answer()
    relay_.submit("payments", incidents=[incident("i", 2)])

    assert (site.held(), site.state_of("i")) == ({"i": 2}, ["accepted"])
    assert len(site.calls()) == 2


def test_a_site_with_a_byte_limit_gets_requests_within_it(
    relay_: Relay, site: ScriptedSite, simulator: Simulator
) -> None:
    limit = 5000
    site.answer({"kind": "too large", "bytes": limit})
    small = [incident(f"i-{n}") for n in range(40)]
    large = incident("large", description="x" * 5000)

    relay_.submit("payments", incidents=[*small[:20], large, *small[20:]])

    assert site.held().keys() == {f"i-{n}" for n in range(40)}
    found = site.of("large")
    assert found["state"] == "rejected"
    assert "too large" in found["messages"][0]
    refused = [call for call in simulator.calls(site.jira.name) if call["status"] == 413]
    # Half of 22,000, a quarter, at most an eighth; and the large one alone.
    assert len(refused) <= 4
    taken = len(site.calls()) - len(refused)
    assert taken <= 10
    assert site.state == "active"


# --- Every shape of the 202 ---


def test_each_entity_of_a_202_gets_its_own_outcome(relay_: Relay, site: ScriptedSite) -> None:
    gone = [{"associationType": "issueIdOrKeys", "values": ["GONE-1"]}]
    both = [{"associationType": "issueIdOrKeys", "values": ["GONE-1", "OPS-1"]}]
    site.answer({"kind": "refuse entity", "pattern": r"\.bad$", "message": "no such severity"})

    relay_.submit(
        "payments",
        incidents=[
            incident("fine"),
            incident("bad"),
            incident("gone", associations=gone),
            incident("both", associations=both),
        ],
    )

    assert site.state_of("fine", "bad", "gone", "both") == [
        "accepted",
        "rejected",
        "unknown project keys",
        "accepted",
    ]
    assert "no such severity" in site.of("bad")["messages"][0]
    assert site.of("gone")["unknownProjectKeys"] == ["GONE"]
    assert site.of("both")["unknownProjectKeys"] == ["GONE"]
    assert site.calls() == [("POST", 4, 0, 202)]


def test_unknown_keys_and_separate_keys_for_reviews_are_read(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer(
        {"kind": "unknown keys"}, {"kind": "refuse entity", "pattern": r"\.bad$", "message": "no"}
    )

    relay_.submit(
        "payments",
        incidents=[incident("same"), incident("bad")],
        reviews=[review("same"), review("bad")],
    )

    for kind in ("incidents", "reviews"):
        assert site.of("same", kind=kind)["state"] == "accepted"
        assert site.of("bad", kind=kind)["state"] == "rejected"


def test_an_entity_missing_from_the_answer_is_unaccounted_and_not_retried(
    relay_: Relay, site: ScriptedSite
) -> None:
    site.answer({"kind": "unnamed", "pattern": r"\.i$"})

    relay_.submit("payments", incidents=[incident("i"), incident("j")])
    site.later()

    assert site.state_of("i", "j") == ["unaccounted", "accepted"]
    assert len(site.calls()) == 1


@pytest.mark.parametrize(
    ("document", "state"),
    [
        ({"acceptedIncidents": ["i"]}, "accepted"),
        ({"acceptedIncidents": ["i"], "failedIncidents": {"i": [{"message": "no"}]}}, "rejected"),
        ({"failedIncidents": {"i": []}}, "rejected"),
        ({"failedReviews": {"i": [{"message": "no"}]}}, "rejected"),
        ({"acceptedReviews": ["i"], "processing": {"queued": 1}}, "accepted"),
        ({"acceptedIncidents": ["another"]}, "unaccounted"),
        ({"acceptedIncidents": [], "failedIncidents": None}, "unaccounted"),
    ],
)
def test_a_202_of_jiras_shape_is_an_answer_for_each_entity(
    relay_: Relay, site: ScriptedSite, document: dict[str, Any], state: str
) -> None:
    at_site = json.dumps(document).replace('"i"', json.dumps(relay_.at_site("i")))
    site.answer({"kind": "error", "status": 202, "body": json.loads(at_site)})

    relay_.submit("payments", incidents=[incident("i")])
    site.later()

    assert site.state_of("i") == [state]
    assert (site.state, len(site.calls())) == ("active", 1)


# --- Isolation between sites ---


def test_a_very_slow_site_costs_another_no_call_and_no_wait(
    relay_: Relay, new_site: Callable[..., ScriptedSite]
) -> None:
    """The same is submitted to a workspace with a slow site, and to one without."""
    slow, beside_it = new_site("payments"), new_site("payments")
    alone = new_site("search")
    slow.answer({"kind": "rate limit", "rate": 0.7, "retryAfter": "60"})

    for sequence in range(1, 7):
        for workspace in ("payments", "search"):
            incidents = [incident(f"{workspace}-{n}", sequence) for n in range(3)]
            assert relay_.submit(workspace, incidents=incidents, reviews=[review("r")]) == []
        # Immediately, before any time passes.
        assert set(beside_it.held().values()) == set(alone.held().values()) == {sequence}
        assert beside_it.calls() == alone.calls()
        slow.later()
        assert beside_it.calls() == alone.calls()

    # It accepted some and refused most.
    assert {status for _, _, _, status in slow.calls()} == {202, 429}
    assert (beside_it.state, alone.state) == ("active", "active")
    slow.answer()
    slow.later()
    assert slow.held() == beside_it.held()
    assert beside_it.calls() == alone.calls()


def test_only_a_site_whose_secret_cannot_be_decrypted_is_owed(
    relay_: Relay, new_site: Callable[..., ScriptedSite]
) -> None:
    site, other = new_site("payments"), new_site("payments")
    table = relay_.aws.environment["TENANTS_TABLE"]
    key = {"pk": {"S": f"tenant#{site.jira.id}"}, "sk": {"S": "tenant"}}
    stored = relay_.aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
    broken = {
        name: {"B": b"\x00" * len(value["B"])} if "B" in value else value
        for name, value in stored.items()
    }
    assert broken != stored
    relay_.aws.dynamodb.put_item(TableName=table, Item=broken)

    assert relay_.submit("payments", incidents=[incident("i")]) == []
    site.later()

    assert (site.calls(), other.held()) == ([], {"i": 1})
    assert site.state_of("i") == ["owed"]
    assert "secret" in site.of("i")["reason"]

    relay_.aws.dynamodb.put_item(TableName=table, Item=stored)
    site.later()
    assert (site.held(), site.state_of("i")) == ({"i": 1}, ["accepted"])
    assert len(other.calls()) == 1
