"""From the queue: records what was submitted and delivers it to every linked site."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.delivery.delivery import Delivery
from relay.edge.consumer import DeadLetters, Submissions
from relay.edge.delivery_parts import DeliveryParts
from relay.edge.invocation import time_left
from relay.edge.queue import SubmissionsQueue
from relay.edge.suspects import Suspects
from relay.record import AttemptStore
from relay.settings import SubmitterSettings
from relay.telemetry import in_context

settings = SubmitterSettings.from_environment()
parts = DeliveryParts(settings)
submissions = Submissions(
    Delivery(parts.record, parts.sites, parts.bringing, parts.owing, parts.dispatch),
    SubmissionsQueue(parts.sqs, settings.submissions_queue),
    DeadLetters(parts.sqs, settings.submissions_dead_letters),
    Suspects(AttemptStore(parts.dynamodb, settings.record_table)),
)


@in_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return submissions.consume(event, time_left(context))
