"""The calls of the REST API: the latest ones in full, and counts of all."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

_RECENT_MAX = 10_000


@dataclass(frozen=True)
class RecordedCall:
    """One call; `bytes` is the length of its body, `reason` a refusal's text.

    `credential` is the one that this path requires: "connect" or "forge".

    `status` is None for a call that was never answered. `fault` names the kinds of its faults,
    separated by commas. `cookie` is the received header, which an app should never send.
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
        self._recent: deque[RecordedCall] = deque(maxlen=_RECENT_MAX)
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def record(self, call: RecordedCall) -> None:
        """Counts the call and stores it; beyond 10,000 calls, the oldest is dropped."""
        self._recent.append(call)
        status = "unanswered" if call.status is None else str(call.status)
        self._counts[call.site, call.operation, status] += 1

    def forget(self) -> None:
        """Clears the counts and the calls."""
        self._recent.clear()
        self._counts.clear()

    def document(self) -> dict[str, Any]:
        """`counts` by site, operation and status; `calls`, oldest first."""
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for (site, operation, status), count in self._counts.items():
            counts.setdefault(site, {}).setdefault(operation, {})[status] = count
        return {"counts": counts, "calls": [asdict(call) for call in self._recent]}


def now_in_utc() -> str:
    """The current time as RFC 3339, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
