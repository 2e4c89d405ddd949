"""Events of CloudWatch's alarms, which EventBridge puts into a queue."""

from typing import Any

from relay.aws import AWS_ERRORS
from relay.catalog.erasures import ErasureStore
from relay.catalog.sources import SourceStore
from relay.catalog.workspaces import WorkspaceStore
from relay.edge.action_documents import logo_at
from relay.errors import RelayError
from relay.provider.source_intake import Origin, SourceIntake
from relay.sources.signatures import Call
from relay.telemetry import logger


class SourceEventConsumer:
    """`source` names the workspace and the source of all events, as `<workspaceId>/<sourceId>`.

    `base_url` is the app's, or empty if only API Gateway knows it.
    """

    def __init__(
        self,
        intake: SourceIntake,
        sources: SourceStore,
        workspaces: WorkspaceStore,
        erasures: ErasureStore,
        source: str,
        base_url: str,
    ) -> None:
        self._intake = intake
        self._sources = sources
        self._workspaces = workspaces
        self._erasures = erasures
        self._workspace_id, _, self._source_id = source.partition("/")
        self._logo_url = logo_at(base_url) if base_url else ""

    def consume(self, event: dict[str, Any]) -> dict[str, Any]:
        """Take the events of an SQS event; returns its `batchItemFailures`.

        An event that the source refuses is done: it is listed among the source's deliveries. One
        whose source does not exist returns, and becomes a dead letter. One from before the
        workspace was erased is dropped.
        """
        failed = [record["messageId"] for record in event["Records"] if not self._taken(record)]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    def _taken(self, record: dict[str, Any]) -> bool:
        # EventBridge is the only sender the queue accepts, and it does not sign.
        call = Call({}, record["body"].encode(), 0)
        try:
            if self._is_erased(record):
                logger.warning("Dropped: the workspace was erased after this event")
                return True
            workspace = self._workspaces.get(self._workspace_id)
            source = self._sources.get(self._workspace_id, self._source_id)
            logo = self._logo_url or workspace.avatarUrl or ""
            origin = Origin(workspace.url, logo, record["messageId"])
        except (RelayError, *AWS_ERRORS):
            logger.exception("The source of an alarm's event could not be read")
            return False
        try:
            self._intake.take(source, call, origin)
        except RelayError as error:
            logger.warning("An alarm's event was refused", code=error.error_code)
            return error.is_final
        except AWS_ERRORS:
            logger.exception("An alarm's event could not be queued")
            return False
        return True

    def _is_erased(self, record: dict[str, Any]) -> bool:
        sent_at = int(record["attributes"]["SentTimestamp"])
        return self._erasures.is_erased(self._workspace_id, sent_at)
