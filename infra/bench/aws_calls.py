"""Every request from this process to AWS, seen where botocore sends it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest


def watch(seen: Callable[[str, AWSPreparedRequest], None]) -> None:
    """Call `seen` with (service.Operation, request) before each request, retries included.

    To be called before the functions are loaded, which make their clients then.
    """
    boto3.setup_default_session()

    def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> None:
        seen(event_name.removeprefix("before-send."), request)

    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-send", before_send)


def counted() -> Counter[str]:
    """Counts by service, which grow from now on."""
    counts: Counter[str] = Counter()
    watch(lambda name, _: counts.update([name.partition(".")[0]]))
    return counts
