"""What was called: the last calls of the REST API one by one, and all of them counted."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

_MOST_KEPT = 10_000


@dataclass(frozen=True)
class RecordedCall:
    """One call; `bytes` is the length of its body, `reason` what a refusal said.

    `credential` is the one that calls of this path have to carry: "connect" or "forge".

    `status` is None for a call that was never answered; `fault` names the kinds of the faults
    that fell on it. `cookie` is the header as it came: an app has no business to send one.
    """

    time: str
    site: str
    operation: str
    method: str
    path: str
    credential: str
    status: int | None
    entities: int
    incidents: int
    reviews: int
    components: int
    workspaces: int
    bytes: int
    milliseconds: float
    reason: str | None
    fault: str | None
    cookie: str | None


class Calls:
    """Counts since the start or the last reset, and the latest 10,000 calls."""

    def __init__(self) -> None:
        self._recent: deque[RecordedCall] = deque(maxlen=_MOST_KEPT)
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def record(self, call: RecordedCall) -> None:
        self._recent.append(call)
        status = "unanswered" if call.status is None else str(call.status)
        self._counts[call.site, call.operation, status] += 1

    def forget(self) -> None:
        self._recent.clear()
        self._counts.clear()

    def document(self) -> dict[str, Any]:
        """`counts` by site, operation and status; `calls`, oldest first."""
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for (site, operation, status), count in self._counts.items():
            counts.setdefault(site, {}).setdefault(operation, {})[status] = count
        return {"counts": counts, "calls": [asdict(call) for call in self._recent]}


def now_in_utc() -> str:
    """The time of day as RFC 3339 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
