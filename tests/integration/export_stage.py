"""A workspace to export, the file, and what an import makes of it."""

import json
from typing import Any

from tests.integration.cli_stage import Ran, Stage
from tests.support.entities import incident, review

OLD, NEW = "operations", "copied"
WORKSPACE = {"id": OLD, "name": "Operations", "url": "https://ops.example.com/"}
HEADER = {"format": 1, "exportedAt": "2026-01-31T09:30:00Z", "workspace": WORKSPACE}
DELETION = {"kind": "incident", "id": "inc-1", "updateSequenceNumber": 5}
DELETED_AT = "2026-01-31T09:45:00.123+00:00"


def written(*documents: Any) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def export_of(*lines: dict[str, Any]) -> bytes:
    """A file as `relay export` writes it."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[next(iter(line))] = counts.get(next(iter(line)), 0) + 1
    return written({"relayExport": HEADER}, *lines, {"end": counts})


def fill(stage: Stage) -> None:
    """A workspace with everything that an export has."""
    relay = stage.relay
    relay.put_workspace(OLD)
    relay.provider(
        "POST",
        f"/v1/workspaces/{OLD}/containers",
        {
            "containers": [
                {
                    "id": f"services/{number}",
                    "name": f"Service {number}",
                    "url": "https://ops.example.com/services",
                    "lastUpdatedDate": "2026-01-31T09:30:00Z",
                }
                for number in range(2)
            ]
        },
    )
    relay.queue(
        OLD,
        incidents=[incident(), incident("inc-2", 2**62, summary="Größer \u2028 😀")],
        properties={"region": "eu"},
        providerMetadata={"product": "Ops Tool"},
    )
    relay.queue(OLD, incidents=[incident("inc-3", -4)], reviews=[review()])
    relay.run_queue()
    for path in ("incidents/inc-3", "incidents/never", "reviews/never"):
        assert relay.provider("DELETE", f"/v1/workspaces/{OLD}/{path}").status == 202
    relay.run_queue()


def entities_in(stage: Stage, workspace: str) -> dict[tuple[str, str], Any]:
    """Each recorded entity, without what belongs to this deployment alone."""
    listed = stage.relay.provider("GET", f"/v1/workspaces/{workspace}/entities").json()["entities"]
    found = {}
    for one in listed:
        path = f"/v1/workspaces/{workspace}/{one['kind']}s/{one['id']}"
        document = stage.relay.provider("GET", path).json()
        for own in ("recordedAt", "correlationId", "sites", "timeline"):
            document.pop(own, None)
        found[one["kind"], one["id"]] = document
    return found


def exported(stage: Stage, workspace: str = OLD) -> bytes:
    return stage.cli("export", workspace).out.encode()


def moved(stage: Stage, name: str, code: int = 0) -> Ran:
    return stage.cli("import", name, "--workspace", NEW, "--json", code=code)
