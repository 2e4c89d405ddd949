"""The queue of replays. A message carries one of four tasks:

{"format": 1, "tenantId", "workspaceId"}                     continue the link's replay
{…, "sample": {"generation", "accepted": [[kind, id, sequence], …]}}   check this sample
{…, "unlinked": {"key", "plain", "generation", "attempt"}}   delete an unlinked workspace's entities
{"format": 1, "tenantId": "", "workspaceId", "erasure": true}   continue an erasure, by its subject
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.entities.fields import EntityId, SequenceNumber
from relay.entities.model import EntityKey, Kind
from relay.entities.workspace_ids import WorkspaceIds
from relay.queues.formats import refusal

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_FORMAT: Literal[1] = 1
# Seconds. Long enough for Jira to process what it accepted.
_CHECK_SAMPLE_AFTER = 300


@dataclass(frozen=True, slots=True)
class Continuation:
    """The link's replay may be due. The table holds its state."""

    tenant_id: str
    workspace_id: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Entities that a site accepted, as (entity, accepted sequence), to be read back from it."""

    tenant_id: str
    workspace_id: str
    generation: int
    accepted: Sequence[tuple[EntityKey, int]]


@dataclass(frozen=True, slots=True)
class UnlinkedWorkspace:
    """A workspace whose entities are to be deleted from a site once more. `ids` and `generation`
    are those of the link; `attempt` counts from 1."""

    tenant_id: str
    workspace_id: str
    ids: WorkspaceIds
    generation: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class ErasureTask:
    """An erasure may be due. The table holds its state."""

    subject: str


Task = Continuation | Sample | UnlinkedWorkspace | ErasureTask


class _SampleContent(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    generation: int
    accepted: Annotated[list[tuple[Kind, EntityId, SequenceNumber]], Field(max_length=100)]


class _UnlinkedContent(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    key: str
    plain: bool
    generation: int
    attempt: int


class _Content(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    format: Literal[1] = _FORMAT
    tenantId: str
    workspaceId: str
    sample: _SampleContent | None = None
    unlinked: _UnlinkedContent | None = None
    erasure: bool = False


class ReplaysQueue:
    """Sends tasks to the replayer. Every method raises AWS_ERRORS."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, tenant_id: str, workspace_id: str, delay_seconds: int = 0) -> None:
        """Queue a continuation of the link's replay, due after `delay_seconds` (at most 900)."""
        self._send(_Content(tenantId=tenant_id, workspaceId=workspace_id), delay_seconds)

    def send_sample(self, sample: Sample) -> None:
        """Queue a check of the sample, due after Jira has had time to process it."""
        accepted = [(key.kind, key.id, sequence) for key, sequence in sample.accepted]
        content = _Content(
            tenantId=sample.tenant_id,
            workspaceId=sample.workspace_id,
            sample=_SampleContent(generation=sample.generation, accepted=accepted),
        )
        self._send(content, _CHECK_SAMPLE_AFTER)

    def send_unlinked(self, unlinked: UnlinkedWorkspace, delay_seconds: int) -> None:
        """Queue a deletion of the workspace's entities at the site, due after `delay_seconds`."""
        content = _Content(
            tenantId=unlinked.tenant_id,
            workspaceId=unlinked.workspace_id,
            unlinked=_UnlinkedContent(
                key=unlinked.ids.key,
                plain=unlinked.ids.plain,
                generation=unlinked.generation,
                attempt=unlinked.attempt,
            ),
        )
        self._send(content, delay_seconds)

    def send_erasure(self, subject: str, delay_seconds: int) -> None:
        """Queue a step of the subject's erasure, due after `delay_seconds` (at most 900)."""
        self._send(_Content(tenantId="", workspaceId=subject, erasure=True), delay_seconds)

    def _send(self, content: _Content, delay_seconds: int) -> None:
        # One message group per site, so that a busy site does not delay the others.
        self._sqs.send_message(
            QueueUrl=self._url,
            MessageBody=content.model_dump_json(),
            MessageGroupId=content.tenantId or "erasures",
            DelaySeconds=delay_seconds,
        )


def parse_task(body: str) -> Task:
    """The task. Raises ValueError for a body that is not a message, and NewerFormat for one of a
    newer version."""
    try:
        content = _Content.model_validate_json(body)
    except ValidationError as error:
        raise refusal(error, _FORMAT) from None
    if content.sample:
        accepted = [(EntityKey(kind, id_), number) for kind, id_, number in content.sample.accepted]
        return Sample(content.tenantId, content.workspaceId, content.sample.generation, accepted)
    if content.unlinked:
        unlinked = content.unlinked
        ids = WorkspaceIds(unlinked.key, unlinked.plain)
        return UnlinkedWorkspace(
            content.tenantId, content.workspaceId, ids, unlinked.generation, unlinked.attempt
        )
    if content.erasure:
        return ErasureTask(content.workspaceId)
    return Continuation(content.tenantId, content.workspaceId)
