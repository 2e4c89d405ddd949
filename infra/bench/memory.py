"""`make bench-memory`: the functions' peak memory for the largest inputs."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.bench import hostile
from infra.bench.messages import event, submit
from infra.bench.replays import peak, replay, replayed
from infra.bench.result import Result, Table, at_most, exact, number
from infra.bench.sample import states
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.harness.drain import drain
from infra.lambdas.runtime import Context, http_event, load, sqs_event
from infra.lambdas.template import memory_of
from relay.queues.submissions import Message, packed
from relay.record.store import RecordStore

_MB = 1_000_000
# Percent of a function's memory.
_SHARE_MAX = 60
_CHUNK = 5000


@dataclass(frozen=True)
class Held:
    """One measurement; `peak` is in bytes."""

    function: str
    what: str
    count: str
    peak: float

    @property
    def share(self) -> float:
        """Percent of the function's memory."""
        return 100 * self.peak / _MB / memory_of(self.function)

    @property
    def row(self) -> list[str]:
        """The row of the table."""
        held, memory = number(self.peak / _MB), number(memory_of(self.function))
        return [self.function, self.what, self.count, held, memory, f"{self.share:.0f} %"]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures the submitter, the replayer and the functions of the API."""
    replays = {size: max(run["peak"] for run in replayed(stand, size)) for size in sizes.replays}
    held = [
        _full_event(stand, sizes),
        *_full_messages(stand, sizes),
        *(Held("replayer", "a whole record", number(size), most) for size, most in replays.items()),
        _large_replay(stand, sizes),
        *_bodies(stand),
    ]
    smallest, *_, largest = replays.values()
    return _result(held, largest / smallest)


def _full_event(stand: Stand, sizes: Sizes) -> Held:
    """An event of the maximum size that Lambda passes."""
    place, count = stand.place("memory"), 0
    bodies: list[str] = []
    while True:
        chunk = states(_CHUNK, first=count)
        more = [one["body"] for one in event(place["workspace_id"], chunk, _CHUNK)["Records"]]
        if bodies and sum(map(len, bodies + more)) > sizes.event_bytes:
            break
        bodies += more
        count += _CHUNK
    stand.screen.say(f"memory: the submitter on {count} incidents at once …")
    most = float(stand.run("memory:submitted", message=sqs_event(bodies)))
    stand.check_delivered(place, count, 1)
    return Held("submitter", f"an event of {sizes.event_bytes / _MB:.1f} MB", number(count), most)


def _full_messages(stand: Stand, sizes: Sizes) -> Iterator[Held]:
    """Messages of 4 MB each, uncompressed."""
    counts = {hostile.largest: sizes.large_messages, hostile.smallest: sizes.small_messages}
    for make, messages in counts.items():
        place = stand.place("memory")
        size = hostile.per_message(make(0))
        count = messages * size
        bodies: list[str] = []
        for first in range(0, count, size):
            entities = [hostile.state_of(make(one)) for one in range(first, first + size)]
            [(_, body)] = packed(Message(place["workspace_id"], "bench", tuple(entities)))
            bodies.append(body)
        what = f"{messages} messages of 4 MB, of {hostile.INCIDENTS[make]}"
        stand.screen.say(f"memory: the submitter on {what} …")
        most = float(stand.run("memory:submitted", message=sqs_event(bodies)))
        stand.check_delivered(place, count, 1)
        yield Held("submitter", what, number(count), most)


def _large_replay(stand: Stand, sizes: Sizes) -> Held:
    place, count = stand.place("memory"), sizes.large_record
    record = RecordStore(stand.stage.dynamodb, stand.stage.environment["RECORD_TABLE"])
    for one in range(count):
        record.put_newest(place["workspace_id"], [hostile.state_of(hostile.largest(one))])
    stand.screen.say(f"memory: a replay of {count} of the largest incidents …")
    most = replay(stand, place)["peak"]
    stand.check_delivered(place, count, 1)
    return Held("replayer", "a record of the largest incidents", number(count), most)


def _bodies(stand: Stand) -> Iterator[Held]:
    path = f"/v1/workspaces/{stand.place('memory')['workspace_id']}"
    bodies = [
        *(("submissions", f"{path}/submissions", body) for body in hostile.submissions()),
        *(("workspaces", f"{path}/containers", body) for body in hostile.containers()),
        ("keys", "/v1/keys", hostile.small_document()),
    ]
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    headers["authorization"] = f"Bearer {stand.stage.api_key}"
    for function, url, (what, body) in bodies:
        stand.screen.say(f"memory: {function} on {what} …")
        sent = http_event("POST", url, gzip.compress(body, 1), headers)
        status, most = stand.run("memory:called", function=function, sent=sent)
        yield Held(function, f"{what}: {status}", "", most)
    # The next benchmark expects an empty queue.
    list(drain(stand.stage.sqs, stand.stage.environment["SUBMISSIONS_QUEUE"]))


# --- Run as subjects ---


def submitted(message: dict[str, Any]) -> float:
    """The submitter's peak memory in bytes for this event."""
    submit(load("submitter"), message)
    return peak()


def called(function: str, sent: dict[str, Any]) -> tuple[int, float]:
    """The status and the function's peak memory in bytes for this event."""
    answer = load(function).handler(sent, Context())
    return answer["statusCode"], peak()


def _result(held: list[Held], replay_growth: float) -> Result:
    worst = {one.function: one for one in sorted(held, key=lambda one: one.share)}
    columns = ("function", "input", "entities", "MB at most", "of MB", "share")
    return Result(
        [Table("", columns, [one.row for one in held])],
        [
            *(
                at_most(f"{name}, of its memory", exact(one.share), _SHARE_MAX, "%")
                for name, one in worst.items()
            ),
            at_most("a replay's growth, largest to smallest", exact(replay_growth), 1.1),
        ],
    )
