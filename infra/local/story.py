"""The main path on a running stack: submit, wait for the delivery, read the result."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from infra.local.deploy import APP_KEY
from infra.local.failure import StackFailure
from infra.local.feed import KINDS, State, Submission, split
from infra.local.first_tenant import Tenancy
from infra.local.jira_control import JiraControl
from infra.local.relay_client import RelayClient
from infra.local.screen import Screen
from infra.local.stack import Stack
from relay.entities.workspace_ids import WorkspaceIds
from relay.jira.credentials import BearerCredential, ConnectCredential
from relay.record.outcomes import OutcomeState
from relay.record.store import RecordStore
from relay.tenants.links import LinkStore

DELIVERY_SECONDS = 300.0
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Rejection:
    """A state that Relay rejected, with the broken rules."""

    state: State
    details: Sequence[dict[str, str]]

    def __str__(self) -> str:
        rules = "; ".join(
            f"{detail['path']}: {detail['rule']}: {detail['message']}" for detail in self.details
        )
        return f"line {self.state.line}, {self.state.kind} {self.state.id}: {rules}"


@dataclass
class Submitted:
    """Relay's verdicts on the submitted states."""

    accepted: list[State] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


class Story:
    """A workspace and its site on a running stack, and their content."""

    def __init__(self, stack: Stack, tenancy: Tenancy, screen: Screen) -> None:
        self.stack = stack
        self.tenancy = tenancy
        self.screen = screen
        self.relay = RelayClient(stack.api, tenancy.api_key)
        self.jira = JiraControl(stack.jira.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.relay.http.close()
        self.jira.http.close()

    def submit(self, states: Sequence[State]) -> Submitted:
        """Submits the states in order. Raises httpx.HTTPStatusError if a call fails."""
        submitted = Submitted()
        with self.screen.meter("States submitted", len(states)) as meter:
            for submission in split(states):
                answer = self.relay.submit(self.tenancy.workspace_id, submission.body())
                _add_verdicts(submitted, submission, answer)
                meter.reach(len(submitted.accepted) + len(submitted.rejected))
        return submitted

    def wait_for_delivery(self, expected: int) -> bool:
        """Waits until no message or entity is in transit. False after DELIVERY_SECONDS."""
        deadline = time.monotonic() + DELIVERY_SECONDS
        with self.screen.meter("Entities in Jira", expected) as meter:
            while time.monotonic() < deadline:
                messages = self.waiting()
                site = self.jira.site(self.tenancy.site_name)
                counts = [site[f"{kind}s"] for kind in KINDS]
                meter.reach(sum(count["visible"] for count in counts))
                if not messages and not any(count["pending"] for count in counts):
                    return True
                time.sleep(POLL_SECONDS)
        return False

    def waiting(self) -> int:
        """The number of messages in the queue or in flight."""
        attributes = self.stack.aws.sqs.get_queue_attributes(
            QueueUrl=self.stack.deployment.outputs["SubmissionsQueue"],
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())

    def ids(self) -> WorkspaceIds:
        """The workspace's ids at the site. Raises StackFailure if it is not linked."""
        links = LinkStore(self.stack.aws.dynamodb, self.stack.deployment.outputs["TenantsTable"])
        link = links.get(self.tenancy.site_id, self.tenancy.workspace_id)
        if link is None:
            raise StackFailure("The workspace is not linked to the site.")
        return link.ids

    def shown(self) -> dict[str, list[dict[str, Any]]]:
        """The workspace's entities in Jira by kind, with the ids that were submitted."""
        ids = self.ids()
        return {
            kind: [
                own
                for entity in self.jira.entities(self.tenancy.site_name, kind)
                if (own := ids.own_entity(entity))
            ]
            for kind in KINDS
        }

    def read_back(self, incident_id: str) -> dict[str, Any]:
        """Reads one incident from Jira's REST API, as the app's identity at the site."""
        base_url, credential = self._credential()
        url = f"{base_url}/rest/operations/1.0/incidents/{self.ids().at_site(incident_id)}"
        answer = httpx.get(url, auth=credential, timeout=10, trust_env=False).raise_for_status()
        incident: dict[str, Any] = answer.json()
        return incident

    def recorded(self) -> int:
        """The number of the workspace's entities in the record."""
        return sum(1 for _ in self._record().entries(self.tenancy.workspace_id))

    def delivered(self) -> int:
        """The number of entities that the site accepted."""
        outcomes = self._record().outcomes(self.tenancy.workspace_id, self.tenancy.site_id)
        return sum(outcome.state is OutcomeState.ACCEPTED for outcome in outcomes)

    def calls(self) -> list[dict[str, Any]]:
        """The calls to the site's REST API, each with its numbers of incidents and reviews."""
        return [call for call in self.jira.calls() if call["site"] == self.tenancy.site_name]

    def credential_in_use(self) -> str:
        """The identity as which Relay calls the site: `connect` or `forge`."""
        [site] = [site for site in self.relay.sites() if site["id"] == self.tenancy.site_id]
        return str(site["credential"]["inUse"])

    def _credential(self) -> tuple[str, httpx.Auth]:
        """The URL of Jira's API, and a credential that Jira accepts there."""
        if self.tenancy.is_by_forge:
            site = self.jira.site(self.tenancy.site_name)
            newest = site["forge"]["systemTokens"][-1]
            return str(site["apiBaseUrl"]), BearerCredential(newest["token"])
        site = self.tenancy.site
        base_url = str(site["baseUrl"])
        return base_url, ConnectCredential(
            APP_KEY, site["clientKey"], base_url, site["sharedSecret"]
        )

    def _record(self) -> RecordStore:
        return RecordStore(self.stack.aws.dynamodb, self.stack.deployment.outputs["RecordTable"])


def _add_verdicts(submitted: Submitted, submission: Submission, answer: dict[str, Any]) -> None:
    by_kind = {kind: submission.of_kind(kind) for kind in KINDS}
    for verdict in answer["verdicts"]:
        state = by_kind[verdict["kind"]][verdict["index"]]
        if verdict["verdict"] == "accepted":
            submitted.accepted.append(state)
        else:
            submitted.rejected.append(Rejection(state, verdict["details"]))
