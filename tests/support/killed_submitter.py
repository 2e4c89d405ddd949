"""The submitter in its own process, which messages of one workspace kill.

Run as a subject (see `infra.harness.subject`): it stands for whatever kills a function, such as the
kernel when memory runs out.
"""

import os
import signal
from typing import Any

import relay.edge.consumer
from infra.lambdas.runtime import Context, load
from relay.queues.submissions import Message, parse_message
from relay.record.store import RecordStore

KILLER = "killer"


def receive(event: dict[str, Any], at: str) -> dict[str, Any]:
    """The submitter's answer to the event. It dies while reading a message of the killer's or while
    recording its states: `at` is "parse" or "record".
    """
    submitter = load("submitter")
    record = RecordStore.put_newest

    def parse(body: str) -> Message:
        message = parse_message(body)
        if message.workspace_id == KILLER:
            os.kill(os.getpid(), signal.SIGKILL)
        return message

    def put_newest(self: RecordStore, workspace_id: str, *given: Any) -> Any:
        if workspace_id == KILLER:
            os.kill(os.getpid(), signal.SIGKILL)
        return record(self, workspace_id, *given)

    if at == "parse":
        consumer: Any = relay.edge.consumer
        consumer.parse_message = parse
    else:
        store: Any = RecordStore
        store.put_newest = put_newest
    answer: dict[str, Any] = submitter.handler(event, Context())
    return answer
