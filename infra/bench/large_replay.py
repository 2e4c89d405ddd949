"""A replay of a large record to a new site, against a Jira that only counts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from pydantic_core import from_json, to_json

from infra.bench.filling import fill_large_record
from infra.bench.replays import replay
from infra.bench.stand import Place, Stand
from infra.harness.serving import Quiet, serving
from relay import keys
from relay.table import key, to_item

_NUMBER = re.compile(r"inc-(\d+)$")


class CountingJira:
    """Accepts everything. `calls` counts the submissions of entities, `accepted` the different
    entities, and `repeated` those that came again."""

    def __init__(self, count: int) -> None:
        self.calls = 0
        self.repeated = 0
        self.accepted = 0
        self._seen = bytearray(count)

    def answer(self, body: bytes) -> bytes:
        """The answer to a call, in Jira's form."""
        document: dict[str, Any] = from_json(body) if body else {}
        if "incidents" not in document:
            return to_json({"acceptedWorkspaceIds": document.get("workspaceIds", [])})
        self.calls += 1
        ids = [incident["id"] for incident in document["incidents"]]
        for one in ids:
            number = int(_NUMBER.search(one)[1])  # type: ignore[index]
            self.repeated += self._seen[number]
            self.accepted += not self._seen[number]
            self._seen[number] = 1
        return to_json({"acceptedIncidents": ids})


@contextmanager
def counting_jira(count: int) -> Iterator[tuple[str, CountingJira]]:
    """Serves one on this machine; yields its URL and itself."""
    jira = CountingJira(count)

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            body = jira.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(202)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    with serving(Handler) as address:
        yield f"http://{address}", jira


def replayed_once(stand: Stand, count: int) -> dict[str, Any]:
    """Replays a record of this many incidents; `replays.replayed` describes the measurements."""
    place = stand.place("large")
    stand.screen.say(f"scale: a record of {count:,} incidents …")
    fill_large_record(stand, place, count)
    with counting_jira(count) as (url, jira):
        _move(stand, place, f"{url}/{place['workspace_id']}")
        stand.screen.say(f"scale: a replay of {count:,} incidents …")
        found = replay(stand, place)
    if (jira.accepted, jira.repeated) != (count, 0):
        raise RuntimeError(f"{jira.accepted} of {count} arrived, and {jira.repeated} came again.")
    return found | {"jira": jira.calls}


def _move(stand: Stand, place: Place, url: str) -> None:
    """Lets the site be at this URL."""
    stand.stage.dynamodb.update_item(
        TableName=stand.stage.environment["TENANTS_TABLE"],
        Key=key(*keys.tenant_item(place["site"])),
        UpdateExpression="SET baseUrl = :url",
        ExpressionAttributeValues=to_item({":url": url}),
    )
