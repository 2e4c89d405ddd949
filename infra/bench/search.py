"""`make bench-search`: the reads and the time of searchContainers as the catalog grows."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import boto3

from infra.bench.filling import container_name, fill_catalog
from infra.bench.result import Result, Table, at_most, exact, figure, number, ratio
from infra.bench.signing import signed
from infra.bench.sizes import Sizes
from infra.bench.stand import Stand
from infra.bench.timing import by_turns, spent
from infra.lambdas.runtime import Context, http_event, load

# Each finds the same number of containers in a large catalog as in a small one, at most 50.
QUERIES = {
    "a whole name": container_name(142),
    "the end of a name": container_name(142)[-5:],
    "the beginning of all": "svc",
    "in none": "nowhere",
    "nothing": "",
}
_PATH = "/containers/search"


def benchmark(stand: Stand, sizes: Sizes) -> Result:
    """Measures searches in catalogs of several sizes."""
    places = {}
    for count in sizes.containers:
        places[str(count)] = place = stand.place("search")
        stand.screen.say(f"search: a catalog of {count} containers …")
        fill_catalog(stand, place, count)
    stand.screen.say(f"search: {sizes.searches} turns of {len(QUERIES)} searches in each …")
    found = stand.run("search:measure", places=places, turns=sizes.searches)
    return _result(found["read"], found["seconds"])


def measure(places: dict[str, dict[str, str]], turns: int) -> dict[str, Any]:
    """By size of the catalog: items `read` per query, and `seconds` per search by turn.

    Runs in a new process.
    """
    items: list[int] = []
    _count_read(items)
    function = load("search_containers")
    searches = {
        size: [partial(_search, function, _event(place, text)) for text in QUERIES.values()]
        for size, place in places.items()
    }

    def read(search: Callable[[], None]) -> int:
        items.clear()
        search()
        return sum(items)

    def per_search(each: Sequence[Callable[[], None]], _: int) -> float:
        return spent(lambda: [search() for search in each])["wall"] / len(each)

    ways = {size: partial(per_search, each) for size, each in searches.items()}
    counts = {size: [read(search) for search in each] for size, each in searches.items()}
    return {"read": counts, "seconds": by_turns(ways, turns, warm_up=0)}


def _count_read(items: list[int]) -> None:
    """Append the number of items that DynamoDB reads for each request."""

    def count(parsed: dict[str, Any], **_: Any) -> None:
        items.append(parsed.get("ScannedCount", 0) + ("Item" in parsed))
        items.extend(len(found) for found in parsed.get("Responses", {}).values())

    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("after-call.dynamodb", count)


def _event(place: dict[str, str], text: str) -> dict[str, Any]:
    one = signed(place, "GET", _PATH, f"searchQuery={quote(text)}")
    return http_event("GET", one["url"], None, one["headers"])


def _search(function: Any, event: dict[str, Any]) -> None:
    answer = function.handler(event, Context())
    if answer["statusCode"] != 200:
        raise RuntimeError(f"A search was answered {answer['statusCode']}.")


def _result(read: dict[str, list[int]], seconds: dict[str, list[float]]) -> Result:
    smallest, *_, largest = read
    rows = [
        [
            number(int(size)),
            *map(str, counts),
            str(figure([one * 1000 for one in seconds[size]])),
            ratio(seconds[size], seconds[smallest]).times,
        ]
        for size, counts in read.items()
    ]
    grown = max(large / small for large, small in zip(read[largest], read[smallest], strict=True))
    slower = ratio(seconds[largest], seconds[smallest])
    return Result(
        [Table("", ("containers", *QUERIES, "ms per search", "to the smallest"), rows)],
        [
            at_most("items read, largest to smallest", exact(grown), 1),
            at_most("time, largest to smallest", slower, 1.1),
        ],
    )
