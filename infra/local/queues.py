"""The queues' policy, which the embedded AWS can't fulfill."""

import re
from pathlib import Path

from infra.local.failure import StackFailure

POLICY = "QueuesOverTlsOnly"


def without_queue_policy(template: Path) -> Path:
    """Removes the policy from this copy of the template, and returns the template.

    The policy requires TLS, so MiniStack, on plain HTTP, would refuse every call. Raises
    StackFailure if the template has no such policy.
    """
    text = template.read_text()
    rest, found = re.subn(rf"^  {POLICY}:\n(?:   .*\n|\n)+", "", text, flags=re.MULTILINE)
    if found != 1:
        raise StackFailure(f"The built template has no resource {POLICY}.")
    template.write_text(rest)
    return template
