"""`make bench-search`: what searchContainers reads and takes as the catalogue grows."""

import time
from typing import Any
from urllib.parse import quote

import boto3

from infra.bench.figures import Figure, figure, ratio
from infra.bench.filling import container_name, fill_catalogue
from infra.bench.result import Lines, Result, Table, Target, at_most, in_times, number, spread
from infra.bench.signing import signed
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.lambdas.runtime import Context, http_event, load

# Each has as many answers in a large catalogue as in a small one; at most 50 are given.
QUERIES = {
    "a whole name": container_name(142),
    "the end of a name": container_name(142)[-5:],
    "the beginning of all": "svc",
    "in none": "nowhere",
    "nothing": "",
}
_PATH = "/containers/search"

# By the catalogue's size: items read by each query, and milliseconds per search by turn.
Found = dict[str, Any]


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    places = {}
    for count in sizes.containers:
        place = stand.place("search")
        stand.screen.say(f"search: a catalogue of {count} containers …")
        fill_catalogue(stand, place, count)
        places[str(count)] = place.given
    stand.screen.say(f"search: {sizes.searches} turns of {len(QUERIES)} searches in each …")
    found = stand.run("infra.bench.search:measure", places=places, turns=sizes.searches)
    return _result(found, sizes.containers)


def measure(places: dict[str, dict[str, str]], turns: int) -> dict[str, Found]:
    """Run as a subject."""
    reading = _Reading()
    function = load("search_containers")
    events = {
        size: [_event(place, text) for text in QUERIES.values()] for size, place in places.items()
    }
    found: dict[str, Found] = {size: {"read": [], "wall": [], "cpu": []} for size in places}
    for size, asked in events.items():
        for event in asked:
            before = reading.items
            _search(function, event)
            found[size]["read"].append(reading.items - before)
    for _ in range(turns):
        for size, asked in events.items():
            wall, cpu = time.perf_counter(), time.process_time()
            for event in asked:
                _search(function, event)
            found[size]["wall"].append((time.perf_counter() - wall) / len(asked))
            found[size]["cpu"].append((time.process_time() - cpu) / len(asked))
    return found


class _Reading:
    """How many items DynamoDB has returned, and looked at, so far."""

    def __init__(self) -> None:
        self.items = 0
        boto3.setup_default_session()
        session: Any = boto3.DEFAULT_SESSION
        session.events.register("after-call.dynamodb", self._count)

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        self.items += parsed.get("ScannedCount", 0)
        self.items += "Item" in parsed
        self.items += sum(len(found) for found in parsed.get("Responses", {}).values())


def _event(place: dict[str, str], text: str) -> dict[str, Any]:
    one = signed(place, "GET", _PATH, f"searchQuery={quote(text)}")
    return http_event("GET", one["url"], None, one["headers"])


def _search(function: Any, event: dict[str, Any]) -> None:
    answer = function.handler(event, Context())
    if answer["statusCode"] != 200:
        raise RuntimeError(f"A search was answered {answer['statusCode']}.")


def _result(found: dict[str, Found], sizes: tuple[int, ...]) -> Result:
    smallest, largest = (found[str(size)] for size in (sizes[0], sizes[-1]))
    rows = []
    for size in sizes:
        one = found[str(size)]
        times = ratio(one["wall"], smallest["wall"])
        milliseconds = figure([seconds * 1000 for seconds in one["wall"]])
        read = [str(count) for count in one["read"]]
        rows.append([number(size), *read, spread(milliseconds), in_times(times)])
    most = max(
        large / small for large, small in zip(largest["read"], smallest["read"], strict=True)
    )
    columns = ("containers", *QUERIES, "ms per search", "to the smallest")
    targets: list[Target] = [
        at_most("items read, largest to smallest", Figure(most, most, most, 1), 1),
        at_most("time, largest to smallest", ratio(largest["wall"], smallest["wall"]), 1.1),
    ]
    return Result(
        "search",
        "Searching a growing catalogue",
        "Signed calls of searchContainers through the action's function, with the catalogues side"
        " by side in one table and searched by turns. The columns in the middle are items that"
        " DynamoDB reads for each kind of query. The table is one that keeps a partition in order,"
        " as DynamoDB does.",
        [Table("", columns, rows)],
        targets,
        lines=[
            Lines(
                "search",
                "One search as the catalogue grows",
                "ms",
                "containers",
                sizes,
                {
                    "searchContainers": [
                        figure([seconds * 1000 for seconds in found[str(size)]["wall"]]).median
                        for size in sizes
                    ]
                },
            )
        ],
    )
