"""From the queue of submissions: records them and delivers them to every linked site."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.edge.attempts import MessageAttempts
from relay.edge.consumer import SubmissionConsumer
from relay.edge.wiring import DeliveryParts, time_left
from relay.queues.dead_letters import DeadLetters
from relay.queues.submissions import SubmissionsQueue
from relay.record.attempts import AttemptStore
from relay.settings import SubmitterSettings
from relay.telemetry import in_context

settings = SubmitterSettings.from_environment()
parts = DeliveryParts(settings)
consumer = SubmissionConsumer(
    parts.submissions(settings),
    SubmissionsQueue(parts.sqs, settings.submissions_queue),
    DeadLetters(parts.sqs, settings.submissions_dead_letters),
    MessageAttempts(AttemptStore(parts.dynamodb, settings.record_table)),
)


@in_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return consumer.consume(event, time_left(context))
