"""The queue of replays, in and out: which link is to go on, which samples to check, and which
workspaces to delete once more from a site that they were unlinked from."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relay.delivery.confirming import Confirming, Sample
from relay.delivery.replaying import Replaying
from relay.delivery.unlinking import Unlinked, Unlinking
from relay.delivery.visit import TimeLeft
from relay.entities import EntityKey, Kind
from relay.entities.fields import EntityId, SequenceNumber
from relay.entities.workspace_ids import WorkspaceIds
from relay.telemetry import Metric, count, logger
from relay.tenants import Replay

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Seconds. Long enough for Jira to have processed what it accepted.
_CONFIRM_AFTER = 300


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

    format: Literal[1] = 1
    tenantId: str
    workspaceId: str
    sample: _SampleContent | None = None
    unlinked: _UnlinkedContent | None = None


class ReplaysQueue:
    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, replay: Replay, delay_seconds: int = 0) -> None:
        content = _Content(tenantId=replay.tenant_id, workspaceId=replay.workspace_id)
        self._send(content, delay_seconds)

    def send_sample(self, sample: Sample) -> None:
        accepted = [(key.kind, key.id, sequence) for key, sequence in sample.accepted]
        content = _Content(
            tenantId=sample.tenant_id,
            workspaceId=sample.workspace_id,
            sample=_SampleContent(generation=sample.generation, accepted=accepted),
        )
        self._send(content, _CONFIRM_AFTER)

    def send_unlinked(self, unlinked: Unlinked, delay_seconds: int) -> None:
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

    def _send(self, content: _Content, delay_seconds: int) -> None:
        """One group per site, so that a busy one does not hold up the others."""
        self._sqs.send_message(
            QueueUrl=self._url,
            MessageBody=content.model_dump_json(),
            MessageGroupId=content.tenantId,
            DelaySeconds=delay_seconds,
        )


def consume_replays(
    event: dict[str, Any],
    replaying: Replaying,
    confirming: Confirming,
    unlinking: Unlinking,
    time_left: TimeLeft,
) -> None:
    """Take each replay a step further. A message that can't be read is dropped: whatever it was
    about, the sweeper finds it."""
    for record in event["Records"]:
        try:
            content = _Content.model_validate_json(record["body"])
        except ValidationError:
            logger.error("A message can't be read", message_id=record["messageId"])
            count(Metric.POISON_MESSAGES)
            continue
        if content.sample:
            confirming.check(_sample(content, content.sample))
        elif content.unlinked:
            unlinking.delete_again(_unlinked(content, content.unlinked))
        else:
            replaying.step(content.tenantId, content.workspaceId, time_left)


def _sample(content: _Content, sample: _SampleContent) -> Sample:
    accepted = [(EntityKey(kind, id_), sequence) for kind, id_, sequence in sample.accepted]
    return Sample(content.tenantId, content.workspaceId, sample.generation, accepted)


def _unlinked(content: _Content, unlinked: _UnlinkedContent) -> Unlinked:
    ids = WorkspaceIds(unlinked.key, unlinked.plain)
    return Unlinked(
        content.tenantId, content.workspaceId, ids, unlinked.generation, unlinked.attempt
    )
