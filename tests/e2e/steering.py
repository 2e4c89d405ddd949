"""AWS failures on the running stack, and how to undo them."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

WAIT_SECONDS = 60.0


class Steering:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._aws = stack.aws
        self._undo = ExitStack()

    def undo(self) -> None:
        self._undo.close()

    def set_variable(self, function: str, name: str, value: str) -> Callable[[], None]:
        """Change a function's environment until the returned function is called, or the test
        ends.
        """
        function_name = self._stack.deployment.functions[function]
        known = self._aws.functions.get_function_configuration(FunctionName=function_name)
        variables = known["Environment"]["Variables"]

        def restore() -> None:
            self._set_variables(function_name, variables)

        self._set_variables(function_name, variables | {name: value})
        self._undo.callback(restore)
        return restore

    def hold_queue(self) -> Callable[[], None]:
        """Hold messages in the queue until the returned function is called."""
        source = self._stack.deployment.resources["SubmitterSource"]

        def let_go() -> None:
            self._aws.functions.update_event_source_mapping(UUID=source, Enabled=True)

        self._aws.functions.update_event_source_mapping(UUID=source, Enabled=False)
        self._undo.callback(let_go)
        return let_go

    def redeliver_after(self, seconds: int) -> Callable[[], None]:
        """Set the visibility timeout of messages received from now on.

        The returned function restores the template's timeout.
        """
        url = self._stack.deployment.outputs["SubmissionsQueue"]
        known = self._aws.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["VisibilityTimeout"]
        )["Attributes"]

        def restore() -> None:
            self._aws.sqs.set_queue_attributes(QueueUrl=url, Attributes=known)

        self._aws.sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)}
        )
        self._undo.callback(restore)
        return restore

    def dead_letters(self) -> int:
        attributes = self._aws.sqs.get_queue_attributes(
            QueueUrl=self._stack.deployment.outputs["SubmissionsDeadLetters"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    def log_of(self, function: str) -> str:
        """Everything the function has logged, by the name of its log group in the template."""
        group = self._stack.deployment.resources[f"{function}Log"]
        return "\n".join(messages_in(self._aws.logs, group))

    def kill_workers(self, function: str) -> int:
        """Send SIGKILL to each process that runs the function now; return their number."""
        code = str(self._stack.folder / "tmp" / f"ministack-lambda-{self._name_of(function)}-")
        found = [pid for pid, command in _processes() if code in command]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    def _name_of(self, function: str) -> str:
        return self._stack.deployment.functions[function]

    def _set_variables(self, function_name: str, variables: dict[str, str]) -> None:
        """In a new version, too, if callers reach the function by an alias."""
        functions = self._aws.functions
        functions.update_function_configuration(
            FunctionName=function_name, Environment={"Variables": variables}
        )
        for alias in functions.list_aliases(FunctionName=function_name)["Aliases"]:
            version = functions.publish_version(FunctionName=function_name)["Version"]
            functions.update_alias(
                FunctionName=function_name, Name=alias["Name"], FunctionVersion=version
            )


def wait_until(is_so: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(0.02)


def messages_in(logs: "CloudWatchLogsClient", group: str) -> Iterator[str]:
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            yield event["message"]


def _processes() -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found.append((int(path.parent.name), command))
    return found
