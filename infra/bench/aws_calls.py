"""Every request that goes to AWS from this process, counted where botocore sends it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest

Counts = Counter[str]


def watch(seen: Callable[[str, AWSPreparedRequest], None]) -> None:
    """Call `seen` with (service.Operation, request) before each request; repeated ones, too.

    To be called before the functions are loaded, as their clients are made then.
    """
    boto3.setup_default_session()

    def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> None:
        seen(event_name.removeprefix("before-send."), request)

    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-send", before_send)


def counted() -> Counts:
    """The counts from now on, which go on growing."""
    counts: Counts = Counter()

    def count(name: str, _: AWSPreparedRequest) -> None:
        counts[name] += 1

    watch(count)
    return counts


def by_service(counts: Counts) -> dict[str, int]:
    found: Counts = Counter()
    for name, count in counts.items():
        found[name.partition(".")[0]] += count
    return dict(found)
