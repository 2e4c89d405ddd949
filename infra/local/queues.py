"""The queues' policies, which the embedded AWS can't fulfill."""

import re
from pathlib import Path

from infra.local.failure import StackFailure

POLICIES = ("QueuesOverTlsOnly", "AlarmEventsQueuePolicy")


def without_queue_policies(template: Path) -> Path:
    """Removes the policies from this copy of the template, and returns the template.

    They require TLS, so MiniStack, on plain HTTP, would refuse every call. Raises StackFailure if
    the template lacks one.
    """
    text = template.read_text()
    for policy in POLICIES:
        text, found = re.subn(rf"^  {policy}:\n(?:   .*\n|\n)+", "", text, flags=re.MULTILINE)
        if found != 1:
            raise StackFailure(f"The built template has no resource {policy}.")
    template.write_text(text)
    return template
