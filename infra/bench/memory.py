"""`make bench-memory`: how much the functions hold at most of what is as large as may be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.bench import hostile
from infra.bench.calls import drained
from infra.bench.figures import Figure
from infra.bench.replays import peak, replayed
from infra.bench.result import Bar, Bars, Result, Table, at_most, number
from infra.bench.sample import event, sqs_event, states
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, http_event, load
from infra.lambdas.template import functions, template
from relay.queues.submissions import Message, packed
from relay.record.store import RecordStore

_MB = 1_000_000
# Of a function's memory, in percent.
_SHARE = 60
_CHUNK = 5000


@dataclass(frozen=True)
class Held:
    """`peak` in bytes."""

    function: str
    what: str
    count: str
    peak: float

    @property
    def memory(self) -> int:
        """What the function has, in MB."""
        properties = functions()[self.function]
        usual = template()["Globals"]["Function"]["MemorySize"]
        return int(properties.get("MemorySize", usual))

    @property
    def share(self) -> float:
        """In percent."""
        return 100 * self.peak / _MB / self.memory


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    replays = {size: max(run["peak"] for run in replayed(stand, size)) for size in sizes.records}
    held = [
        _full(stand, sizes),
        *_full_messages(stand, sizes),
        *(Held("replayer", "a whole record", number(size), most) for size, most in replays.items()),
        _large_replay(stand, sizes),
        *_bodies(stand),
    ]
    return _result(held, sizes, replays)


def _full(stand: Stand, sizes: Sizes) -> Held:
    """As many messages as Lambda hands over at once."""
    place = stand.place("memory")
    records: list[Any] = []
    left, count = sizes.event_bytes, 0
    while True:
        [*more] = event(place.workspace_id, states(_CHUNK, first=count), _CHUNK)["Records"]
        left -= sum(len(one["body"]) for one in more)
        if left < 0 and records:
            break
        for one in more:
            records.append(one | {"messageId": f"message-{len(records)}"})
        count += _CHUNK
    stand.screen.say(f"memory: the submitter on {count} incidents at once …")
    most = _submitted(stand, {"Records": records})
    stand.check_delivered(place, count, 1)
    return Held("submitter", f"an event of {sizes.event_bytes / _MB:.1f} MB", number(count), most)


def _full_messages(stand: Stand, sizes: Sizes) -> Iterator[Held]:
    """Of messages that inflate to 4 MB each."""
    counts = {hostile.largest: sizes.large_messages, hostile.smallest: sizes.small_messages}
    for made, messages in counts.items():
        place = stand.place("memory")
        size = hostile.per_message(made(0))
        count = messages * size
        bodies: list[str] = []
        for first in range(0, count, size):
            entities = [hostile.state_of(made(one)) for one in range(first, first + size)]
            [(_, body)] = packed(Message(place.workspace_id, "bench", tuple(entities)))
            bodies.append(body)
        stand.screen.say(f"memory: the submitter on {count} of {hostile.INCIDENTS[made]} …")
        most = _submitted(stand, sqs_event(bodies))
        stand.check_delivered(place, count, 1)
        what = f"{messages} messages of 4 MB, of {hostile.INCIDENTS[made]}"
        yield Held("submitter", what, number(count), most)


def _large_replay(stand: Stand, sizes: Sizes) -> Held:
    place = stand.place("memory")
    environment, count = stand.stage.environment, sizes.large_record
    record = RecordStore(stand.stage.dynamodb, environment["RECORD_TABLE"])
    for one in range(count):
        record.put_newest(place.workspace_id, [hostile.state_of(hostile.largest(one))])
    stand.screen.say(f"memory: a replay of {count} of the largest incidents …")
    queue = environment["REPLAYS_QUEUE"]
    found = stand.run("infra.bench.replays:measure", site=place.site.id, queue=queue)
    stand.check_delivered(place, count, 1)
    return Held("replayer", "a record of the largest incidents", number(count), found["peak"])


def _bodies(stand: Stand) -> Iterator[Held]:
    place = stand.place("memory")
    path = f"/v1/workspaces/{place.workspace_id}"
    bodies = [
        *(("submissions", f"{path}/submissions", body) for body in hostile.submissions()),
        *(("workspaces", f"{path}/containers", body) for body in hostile.containers()),
        ("keys", "/v1/keys", hostile.small_document()),
    ]
    for function, url, (what, body) in bodies:
        stand.screen.say(f"memory: {function} on {what} …")
        headers = {
            "authorization": f"Bearer {stand.stage.api_key}",
            "content-type": "application/json",
            "content-encoding": "gzip",
        }
        sent = http_event("POST", url, hostile.zipped(body), headers)
        found = stand.run("infra.bench.memory:call", function=function, sent=sent)
        yield Held(function, f"{what}: {found['status']}", "", found["peak"])
    # What was taken is not delivered here, and the next benchmark finds an empty queue.
    drained(stand.stage.sqs, stand.stage.environment["SUBMISSIONS_QUEUE"])


def _submitted(stand: Stand, message: dict[str, Any]) -> float:
    return float(stand.run("infra.bench.memory:submit", message=message))


# --- Run as subjects, which are given the event as Lambda gives it ---


def submit(message: dict[str, Any]) -> float:
    answer = load("submitter").handler(message, Context())
    if answer["batchItemFailures"]:
        raise RuntimeError("Not all of the event was done.")
    return peak()


def call(function: str, sent: dict[str, Any]) -> dict[str, float]:
    answer = load(function).handler(sent, Context())
    return {"status": answer["statusCode"], "peak": peak()}


def _result(held: list[Held], sizes: Sizes, replays: Mapping[int, float]) -> Result:
    smallest, largest = (replays[size] for size in (sizes.records[0], sizes.records[-1]))
    rows = [
        [
            one.function,
            one.what,
            one.count,
            number(one.peak / _MB),
            number(one.memory),
            f"{one.share:.0f} %",
        ]
        for one in held
    ]
    worst = {one.function: one for one in sorted(held, key=lambda one: one.share)}
    return Result(
        "memory",
        "Memory",
        "The most memory that a new process has held (its resident set), Python and all libraries"
        " in it, of input as large and as awkward as it may be. The event is as full as Lambda's"
        " limit lets it be, of the sample's incidents; the largest incidents have nearly 350,000"
        " bytes each; a status stands behind the body that it answered. A replay is of one"
        " invocation, however long it takes.",
        [Table("", ("function", "input", "entities", "MB at most", "of MB", "share"), rows)],
        [
            *(
                at_most(f"{name}, of its memory", _exact(one.share), _SHARE, "%")
                for name, one in worst.items()
            ),
            at_most("a replay's growth, largest to smallest", _exact(largest / smallest), 1.1),
        ],
        [
            Bars(
                "memory",
                "Memory held at most, of the function's own",
                "%",
                [
                    Bar(f"{one.function}: {one.what}", one.share, one.share, one.share, True)
                    for one in held
                ],
            )
        ],
    )


def _exact(value: float) -> Figure:
    return Figure(value, value, value, 1)
