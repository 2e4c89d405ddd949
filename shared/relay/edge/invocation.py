"""What a function knows of its own invocation."""

from aws_lambda_powertools.utilities.typing import LambdaContext

from relay.delivery.session import TimeLeft


def time_left(context: LambdaContext) -> TimeLeft:
    """The seconds until Lambda ends the invocation, at each call."""
    return lambda: context.get_remaining_time_in_millis() / 1000
