"""A workspace with something in every table, its erasure, and what is left of it."""

from collections.abc import Mapping
from typing import Any

from relay import keys
from tests.integration.relay_stage import JiraSite, Relay, install_there
from tests.integration.replays_stage import received
from tests.sources.samples import samples
from tests.support.aws import Aws
from tests.support.entities import incident, review
from tests.support.lambdas import Context, sqs_event

# Its id is in nothing else.
ERASED, OTHER = "zq7-erased", "search"
PATH = f"/v1/workspaces/{ERASED}"
FIRING = samples("cloudwatch")
_RAISED = ("resetsMin", "version")
HOOK = {"url": "https://ops.example.com/hook", "secret": f"whsec_{'A' * 32}"}


def fill(relay: Relay, workspace: str, payloads: Mapping[str, Any] = FIRING) -> None:
    path = f"/v1/workspaces/{workspace}"
    container = {
        "name": "Shop",
        "url": "https://ops.example.com/services/checkout",
        "lastUpdatedDate": "2026-01-31T09:30:00Z",
    }
    assert relay.provider("PUT", f"{path}/containers/checkout", container).status == 200
    assert relay.provider("PUT", f"{path}/webhook", HOOK).status == 200
    for source in ("kept", "gone"):
        document = {"kind": "cloudwatch"}
        assert relay.provider("PUT", f"{path}/sources/{source}", document).status == 200
        for payload in payloads.values():
            relay.provider("POST", f"{path}/sources/{source}/events", payload)
        relay.provider("POST", f"{path}/sources/{source}/events", {"no": "alarm"})
    assert relay.provider("DELETE", f"{path}/sources/gone").status == 204
    relay.submit(workspace, incidents=[incident()], reviews=[review()])
    assert relay.provider("DELETE", f"{path}/incidents/never-recorded").status == 202
    relay.run_queue()


def link(relay: Relay, site: JiraSite, workspace: str = ERASED) -> None:
    answer = relay.provider("PUT", f"/v1/sites/{site.id}/workspaces/{workspace}")
    assert answer.status == 200, answer.body
    relay.run_replays()


def unlink(relay: Relay, site: JiraSite, workspace: str = ERASED) -> None:
    answer = relay.provider("DELETE", f"/v1/sites/{site.id}/workspaces/{workspace}")
    assert answer.status == 204, answer.body
    relay.let_time_pass()
    relay.run_replays()


def associate(relay: Relay, site: JiraSite, workspace: str, *ids: str) -> None:
    """With a kind; and without, so that it is stored under both: an entity that is never
    recorded."""
    for number, own_id in enumerate(ids or (incident()["id"], "never-submitted")):
        is_recorded = own_id == incident()["id"]
        ari = f"ari:cloud:jira:0a1b2c3d:{'incident' if is_recorded else ''}/activation/4e5f6071/x"
        at_site = relay.at_site(own_id, workspace)
        entity = {"id": at_site} | ({"ari": ari} if is_recorded else {})
        body = {"entity": entity, "associatedWith": {"id": str(number)}}
        assert relay.jira(site.site, "PUT", "/entities/associated", body).status == 204


def uninstall(site: JiraSite) -> None:
    assert site.simulator.control("POST", f"/sites/{site.name}/uninstall").status_code == 200


def reinstall(relay: Relay, site: JiraSite) -> JiraSite:
    return install_there(relay, site.simulator, site.name)


def erase(relay: Relay, status: int = 202) -> None:
    answer = relay.provider("DELETE", f"{PATH}?erase=true")
    assert answer.status == status, answer.body


def erasure(relay: Relay) -> dict[str, Any]:
    answer = relay.provider("GET", f"{PATH}/erasure")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def go_on(relay: Relay) -> str:
    """Let the sweeper continue the erasure, at most twice, after any wait; returns its stage."""
    for _ in range(2):
        relay.let_time_pass()
        relay.sweep()
        if (stage := str(erasure(relay)["stage"])) == "done":
            break
    return stage


def key_of(relay: Relay, workspace: str = ERASED) -> str:
    return relay.links.of_workspace(workspace)[0].ids.key


def held(site: JiraSite, key: str) -> int:
    """How many entities and components the site has of the workspace with this key."""
    kinds = ("incident", "review", "component")
    return sum(one.startswith(f"{key}.") for kind in kinds for one in site.at_site(kind))


def linked_in_jira(site: JiraSite) -> list[str]:
    return sorted(site.simulator.site(site.name)["linkedWorkspaces"])


def tables(aws: Aws) -> dict[str, list[Any]]:
    """Every item of every table."""
    names = aws.dynamodb.list_tables()["TableNames"]
    scan = aws.dynamodb.get_paginator("scan")
    return {
        name: [item for page in scan.paginate(TableName=name) for item in page["Items"]]
        for name in names
    }


def snapshot(relay: Relay) -> set[str]:
    """The same as a set of texts, without what a tenant keeps so that no generation falls."""
    return {
        f"{name} {sorted((key, value) for key, value in item.items() if key not in _RAISED)}"
        for name, items in tables(relay.aws).items()
        for item in items
    }


def items(relay: Relay, *words: str) -> list[str]:
    """The items of all tables with any of these words in them, whatever their attributes."""
    return sorted(one for one in snapshot(relay) if any(word in one for word in words))


def restore(relay: Relay, before: Mapping[str, list[Any]]) -> None:
    for table, found in before.items():
        for start in range(0, len(found), 25):
            puts: Any = [{"PutRequest": {"Item": item}} for item in found[start : start + 25]]
            relay.aws.dynamodb.batch_write_item(RequestItems={table: puts})


def queued(relay: Relay) -> list[str]:
    """The names of the queues that hold a message, delayed ones included."""
    numbers = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")
    found = []
    for url in relay.aws.sqs.list_queues()["QueueUrls"]:
        counts: Any = relay.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        if any(int(counts["Attributes"][number]) for number in numbers):
            found.append(url.rpartition("/")[2])
    return found


def change(relay: Relay, place: keys.Key, **values: Any) -> None:
    """Change numbers of an item of the catalog."""
    relay.aws.dynamodb.update_item(
        TableName=relay.aws.environment["CATALOG_TABLE"],
        Key={"pk": {"S": place[0]}, "sk": {"S": place[1]}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues={f":{name}": {"N": str(one)} for name, one in values.items()},
    )


def run_notices(relay: Relay) -> list[str]:
    """Let the webhooks function handle its queue; returns the ids of the messages that return."""
    failed = []
    while found := received(relay.aws, relay.aws.environment["NOTICES_QUEUE"]):
        event = sqs_event(*(message["Body"] for message in found))
        answer = relay.gateway.functions["webhooks"].handler(event, Context())
        failed += [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    return failed
