"""Deleting entities: remembered here at once, then carried to every linked site by the queue."""

from collections.abc import Iterable, Mapping

from relay.entities.model import EntityKey
from relay.errors import Unavailable
from relay.queues.submissions import Message, SubmissionsQueue
from relay.record.store import RecordStore

# A message is processed within the submitter's time, one call to Jira for each.
_PER_MESSAGE = 100
# Seconds. A delivery that was under way when an entity was deleted has ended by then: a replayer
# has two minutes, and the last of many deletions is written half a minute after this is queued.
# The second round takes back what such a delivery may have brought.
_SECOND_ROUND = 180


class EntityDeleter:
    def __init__(self, record: RecordStore, queue: SubmissionsQueue) -> None:
        self._record = record
        self._queue = queue

    def delete(self, workspace_id: str, entity: EntityKey, correlation_id: str) -> None:
        """Deleting what is not there, or twice, is fine. Raises Unavailable: then try again."""
        self._delete(workspace_id, [entity], correlation_id)

    def delete_by_properties(
        self, workspace_id: str, properties: Mapping[str, str], correlation_id: str
    ) -> int:
        """Delete the workspace's entities that have all of these properties; returns how many.

        Sites are told the ids, so that the outcome of each is known.
        """
        found = [
            head.key
            for head in self._record.heads(workspace_id)
            if not head.is_deleted and properties.items() <= dict(head.properties).items()
        ]
        for start in range(0, len(found), _PER_MESSAGE):
            self._delete(workspace_id, found[start : start + _PER_MESSAGE], correlation_id)
        return len(found)

    def _delete(
        self, workspace_id: str, entities: Iterable[EntityKey], correlation_id: str
    ) -> None:
        message = Message(workspace_id, correlation_id, deleted=tuple(entities))
        # Queued before anything is written: should this break off, the second round carries what
        # was, and passes over what was not.
        self._send(message, _SECOND_ROUND)
        for entity in message.deleted:
            self._record.delete(workspace_id, entity)
        self._send(message)

    def _send(self, message: Message, delay_seconds: int = 0) -> None:
        if self._queue.send(message, delay_seconds):
            raise Unavailable("The deletion could not be queued; try again.")
