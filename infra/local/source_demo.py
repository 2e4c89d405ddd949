"""`make demo SOURCE=kind`: an operations tool's webhook, from its first call to Jira's page."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from infra.local.failure import StackFailure
from infra.local.first_tenant import set_up
from infra.local.screen import Screen
from infra.local.senders.deliveries import Delivery, Shown, deliveries, last_states
from infra.local.senders.events import incidents
from infra.local.senders.sender import Sender, sender_of
from infra.local.senders.signing import new_secret
from infra.local.stack import temporary_stack
from infra.local.story import DELIVERY_SECONDS, POLL_SECONDS, Story
from relay.sources.tool import KINDS

# Tools give up sooner; the first call here starts the function on a machine that is busy.
ANSWER_SECONDS = 30.0
WHO_MAKES_THE_SECRET = {
    "tool": "{title} makes the secret with which it signs; Relay gets a copy",
    "user": "The user chooses the secret; {title} and Relay get it",
    "optional": "{title} can sign; the user chooses the secret",
    "none": "{title} does not sign; the URL is the secret",
}


def checked_kind(kind: str) -> str:
    """The kind. Raises StackFailure, which names the kinds that there are."""
    if kind not in KINDS:
        raise StackFailure(f"There is no source {kind}. SOURCE is one of: {', '.join(KINDS)}.")
    return kind


def run_source_demo(kind: str, screen: Screen, by_forge: bool) -> int:
    """Runs the demo on a stack of its own. Exit code: 0 if Jira shows what it must, else 1."""
    with temporary_stack(report=screen.say) as stack:
        screen.say("Installing the app in a Jira site and linking a workspace …")
        with Story(stack, set_up(stack, by_forge=by_forge), screen) as story:
            succeeded = run_source(story, kind)
        screen.say("Stopping …")
    return 0 if succeeded else 1


def run_source(story: Story, kind: str) -> bool:
    """Makes the source, lets its tool send, and reports. True if all ended as it must."""
    sender = sender_of(kind)
    lives = incidents(datetime.now(UTC).replace(microsecond=0), sender.escalates)
    url, secret = _make_source(story, kind, sender)
    sent = deliveries(kind, sender, lives, secret)
    answers = _send_all(story, sender, url, sent)
    expected = last_states(kind, sender, lives)
    noted = _wait_for_all(story, kind, sent, len(expected))
    shown = _shown(story, kind, expected)
    _report(story, sent, answers, noted, shown)
    faults = [*_wrong_answers(sent, answers), *_wrong_counts(sent, noted)]
    faults += [*differences(expected, shown), *_missing_containers(story, expected)]
    if faults:
        story.screen.faults("Faults", faults)
    else:
        story.screen.say("Jira shows each incident once, in its newest state.")
    story.screen.say("To keep such a stack and look at its Jira page, run `make up`.")
    return not faults


def _make_source(story: Story, kind: str, sender: Sender) -> tuple[str, str | None]:
    """Returns the URL for the tool, and the secret with which it signs."""
    tool = story.relay.source_kind(kind)
    signs = tool["signing"] != "none"
    secret = new_secret(kind) if signs else None
    document: dict[str, Any] = {"kind": kind, "settings": sender.settings}
    source = story.relay.put_source(
        story.tenancy.workspace_id, kind, document | ({"secret": secret} if secret else {})
    )
    if sender.queued:
        story.screen.say(f"{tool['title']} sends to the queue of the template's rule, with IAM")
    else:
        story.screen.say(WHO_MAKES_THE_SECRET[tool["signing"]].format(title=tool["title"]))
        story.screen.say(f"{tool['title']} sends to {source['url']}")
    return source["url"], secret


def _send_all(story: Story, sender: Sender, url: str, sent: Sequence[Delivery]) -> list[str]:
    """Relay's answer to each delivery, such as `202 taken`; to one in a queue, there is none."""
    with story.screen.meter("Deliveries", len(sent)) as meter:
        answers: list[str] = []
        with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as tool:
            for one in sent:
                answers.append(_queue(story, one) if sender.queued else _post(tool, url, one))
                meter.reach(len(answers))
    return answers


def _post(tool: httpx.Client, url: str, delivery: Delivery) -> str:
    answer = tool.post(url, content=delivery.body, headers=delivery.headers)
    state = answer.json()["state"] if answer.is_success else "refused"
    return f"{answer.status_code} {state}"


def _queue(story: Story, delivery: Delivery) -> str:
    story.stack.aws.sqs.send_message(
        QueueUrl=story.stack.deployment.outputs["AlarmEventsQueue"],
        MessageBody=delivery.body.decode(),
    )
    return "queued"


def _wait_for_all(
    story: Story, source_id: str, sent: Sequence[Delivery], expected: int
) -> list[dict[str, Any]]:
    """Waits until every delivery is noted, and nothing is in transit. Returns the noted ones."""
    deadline = time.monotonic() + DELIVERY_SECONDS
    while True:
        noted = story.relay.deliveries(story.tenancy.workspace_id, source_id)
        if len(noted) >= len(sent) or time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    story.wait_for_delivery(expected)
    return noted


def _shown(story: Story, kind: str, expected: Mapping[str, Shown]) -> list[Shown]:
    """The source's incidents at the site, in the order in which they are expected."""
    found = [
        Shown(
            one["id"],
            one["status"],
            one.get("severity", {}).get("level", "unknown"),
            ", ".join(one["affectedComponents"]),
            one["summary"],
        )
        for one in story.shown()["incident"]
        if one["id"].startswith(f"{kind}-")
    ]
    places = list(expected)
    return sorted(found, key=lambda one: places.index(one.id) if one.id in places else len(places))


def _report(
    story: Story,
    sent: Sequence[Delivery],
    answers: Sequence[str],
    noted: Sequence[Mapping[str, Any]],
    shown: Sequence[Shown],
) -> None:
    screen = story.screen
    screen.gap()
    counted = Counter(zip((one.what for one in sent), answers, strict=True))
    screen.grid(
        ("Sent", "times", "Relay's answer"),
        [(what, str(times), answer) for (what, answer), times in counted.items()],
    )
    reasons = Counter((one["state"], one.get("reason", "")) for one in noted)
    screen.grid(
        ("Deliveries", "", "reason"),
        [(state, str(count), reason) for (state, reason), count in sorted(reasons.items())],
    )
    screen.grid(
        ("Jira shows", "status", "severity", "component", "summary"),
        [(one.id, one.status, one.severity, one.component, one.summary) for one in shown],
    )
    screen.grid(
        ("Containers", "name"),
        [(one["id"], one["name"]) for one in story.relay.containers(story.tenancy.workspace_id)],
    )
    calls = story.calls()
    states = sum(call["incidents"] for call in calls)
    screen.say(f"Calls to Jira: {len(calls)}, with {states} states of incidents")


def _wrong_answers(sent: Sequence[Delivery], answers: Sequence[str]) -> list[str]:
    return [
        f"{one.what}: answered {answer} instead of {one.state}"
        for one, answer in zip(sent, answers, strict=True)
        if answer != "queued" and not answer.endswith(one.state)
    ]


def _wrong_counts(sent: Sequence[Delivery], noted: Sequence[Mapping[str, Any]]) -> list[str]:
    wanted, found = Counter(one.state for one in sent), Counter(one["state"] for one in noted)
    return [
        f"{found[state]} deliveries are listed as {state} instead of {wanted[state]}"
        for state in sorted({*wanted, *found})
        if wanted[state] != found[state]
    ]


def differences(expected: Mapping[str, Shown], shown: Sequence[Shown]) -> list[str]:
    """How the incidents that Jira shows differ from the expected ones, by id; one line for each."""
    known = {one.id: one for one in shown}
    return [
        f"{one}: Jira shows {_text(known.get(one))} instead of {_text(expected.get(one))}"
        for one in [*expected, *(known.keys() - expected.keys())]
        if known.get(one) != expected.get(one)
    ]


def _text(incident: Shown | None) -> str:
    if incident is None:
        return "nothing"
    return f"{incident.status}, {incident.severity}, {incident.component}, {incident.summary!r}"


def _missing_containers(story: Story, expected: Mapping[str, Shown]) -> list[str]:
    known = {one["id"] for one in story.relay.containers(story.tenancy.workspace_id)}
    affected = {one.component for one in expected.values()}
    return [f"{one} is not a container of the workspace" for one in sorted(affected - known)]
