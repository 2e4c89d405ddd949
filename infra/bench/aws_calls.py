"""Observes this process's requests to AWS, in botocore's hook before the send."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest


def watch(seen: Callable[[str, AWSPreparedRequest], None]) -> None:
    """Calls `seen` with (service.Operation, request) before each request, retries included.

    Call it before the functions are loaded, because they create their clients then.
    """
    boto3.setup_default_session()

    def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> None:
        seen(event_name.removeprefix("before-send."), request)

    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-send", before_send)


def counted() -> Counter[str]:
    """Returns a counter of requests by service, which is updated from now on."""
    counts: Counter[str] = Counter()
    watch(lambda name, _: counts.update([name.partition(".")[0]]))
    return counts
