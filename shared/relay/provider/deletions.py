"""Deleting entities: recorded at once, then delivered to every linked site through the queue."""

from collections.abc import Iterable, Mapping, Sequence

from relay.entities.model import EntityKey
from relay.errors import Unavailable
from relay.queues.delays import DRAIN_SECONDS
from relay.queues.submissions import Message, SubmissionsQueue
from relay.record.entry import Deletion
from relay.record.store import RecordStore

# Each deletion is one call to Jira, and one submitter invocation must have time for a message.
PER_MESSAGE = 100


class EntityDeleter:
    """Deletes a workspace's entities. Every method raises Unavailable, or an AWS error."""

    def __init__(self, record: RecordStore, queue: SubmissionsQueue) -> None:
        self._record = record
        self._queue = queue

    def delete(self, workspace_id: str, entity: EntityKey, correlation_id: str) -> None:
        """Delete one entity; it may be unknown or already deleted. Repeating is safe."""
        self._delete(workspace_id, [entity], correlation_id)

    def delete_as_of(
        self, workspace_id: str, deletions: Sequence[Deletion], correlation_id: str
    ) -> int:
        """Delete these entities, at most PER_MESSAGE different ones, each unless a state with a
        higher sequence or a later deletion is recorded; returns how many were deleted.
        """
        named = tuple(one.key for one in deletions)
        self._send(Message(workspace_id, correlation_id, deleted=named), DRAIN_SECONDS)
        deleted = tuple(self._record.put_deletions(workspace_id, deletions))
        if deleted:
            self._send(Message(workspace_id, correlation_id, deleted=deleted))
        return len(deleted)

    def add_deletions(
        self, workspace_id: str, deletions: Sequence[Deletion], correlation_id: str
    ) -> int:
        """The same for deletions of another deployment. Those that are recorded already are
        skipped, so that repeating calls no site.
        """
        named = [one.key for one in deletions]
        known = {head.key: head for head in self._record.heads_of(workspace_id, named)}
        merged = [one.merged_with(known.get(one.key)) for one in deletions]
        changed = [one for one in merged if one]
        return self.delete_as_of(workspace_id, changed, correlation_id) if changed else 0

    def delete_by_properties(
        self, workspace_id: str, properties: Mapping[str, str], correlation_id: str
    ) -> int:
        """Delete the workspace's entities that have all of these properties; returns their number.

        Sites receive one deletion per id, so that each has an outcome.
        """
        found = [
            head.key
            for head in self._record.heads(workspace_id)
            if not head.is_deleted and properties.items() <= dict(head.properties).items()
        ]
        for start in range(0, len(found), PER_MESSAGE):
            self._delete(workspace_id, found[start : start + PER_MESSAGE], correlation_id)
        return len(found)

    def _delete(
        self, workspace_id: str, entities: Iterable[EntityKey], correlation_id: str
    ) -> None:
        message = Message(workspace_id, correlation_id, deleted=tuple(entities))
        # Queue the second round before writing: if this is cut off, that round delivers the
        # deletions that were written, and skips the others.
        self._send(message, DRAIN_SECONDS)
        for entity in message.deleted:
            self._record.delete(workspace_id, entity)
        self._send(message)

    def _send(self, message: Message, delay_seconds: int = 0) -> None:
        if self._queue.send(message, delay_seconds):
            raise Unavailable("The deletion could not be queued. Try again later.")
