"""The queues' policy, which the embedded AWS can't have."""

import re
from pathlib import Path

from infra.local.failure import StackFailure

POLICY = "QueuesOverTlsOnly"


def without_queue_policy(template: Path) -> Path:
    """Takes it out of this copy: MiniStack speaks plain HTTP, and would refuse every call."""
    text = template.read_text()
    kept, found = re.subn(rf"^  {POLICY}:\n(?:   .*\n|\n)+", "", text, flags=re.MULTILINE)
    if found != 1:
        raise StackFailure(f"The built template has no resource {POLICY}.")
    template.write_text(kept)
    return template
