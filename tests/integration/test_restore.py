"""After a table was restored to a point in time, Jira and the record come together again, and no
old state wins: the steps of docs/operator.md, "Restore".
"""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from tests.integration.catching_up_stage import ask, put_link, resume, states, summaries, unlink
from tests.integration.relay_stage import JiraSite, Relay, install_there
from tests.integration.simulator_stage import Simulator
from tests.integration.test_deletions import a_moment_later
from tests.support.aws import Aws
from tests.support.entities import incident, review

RECORD, TENANTS, CATALOG = "RECORD_TABLE", "TENANTS_TABLE", "CATALOG_TABLE"
Copy = dict[str, list[dict[str, Any]]]


def copied(aws: Aws, *tables: str) -> Copy:
    return {table: aws.dynamodb.scan(TableName=aws.environment[table])["Items"] for table in tables}


def restore(aws: Aws, copy: Copy) -> None:
    """Make the tables what they were."""
    for table, items in copy.items():
        name = aws.environment[table]
        for item in aws.dynamodb.scan(TableName=name)["Items"]:
            place = {"pk": item["pk"], "sk": item["sk"]}
            aws.dynamodb.delete_item(TableName=name, Key=place)
        for item in items:
            aws.dynamodb.put_item(TableName=name, Item=item)


def submit_first(relay: Relay) -> None:
    relay.submit(
        "payments",
        incidents=[incident(one, summary="First") for one in ("same", "changed", "gone", "again")],
        reviews=[review("rev", summary="First")],
    )


def delete(relay: Relay, *entities: str) -> None:
    for one in entities:
        answer = relay.provider("DELETE", f"/v1/workspaces/payments/incidents/{one}")
        assert answer.status in (202, 204), answer.body


def queue_newest(relay: Relay) -> None:
    """The newest states of all that the operations tool has and that has changed."""
    changed = [incident(one, 2, summary="Second") for one in ("changed", "late", "again")]
    relay.queue("payments", incidents=changed, reviews=[review("rev", 2, summary="Second")])


def submit_what_followed(relay: Relay) -> None:
    delete(relay, "gone", "again")
    relay.run_queue()
    queue_newest(relay)
    relay.run_queue()


EXPECTED = {"same": "First"} | dict.fromkeys(("changed", "late", "again", "rev"), "Second")


@pytest.mark.parametrize("sequences", ["forgotten", "remembered"])
@pytest.mark.parametrize("restored", [(RECORD,), (TENANTS,), (RECORD, TENANTS)])
def test_the_steps_bring_jira_and_the_record_together(
    relay: Relay, site: JiraSite, simulator: Simulator, restored: tuple[str, ...], sequences: str
) -> None:
    simulator.set(sequencesAfterDeletion=sequences)
    relay.put_workspace("left")
    put_link(relay, site, "left")
    submit_first(relay)
    relay.submit("left", incidents=[incident("private")])
    ask(relay, site, what="all")
    copy = copied(relay.aws, *restored)
    submit_what_followed(relay)
    unlink(relay, site, "left")
    for _ in range(2):
        ask(relay, site, what="all")
    relay.run_replays()
    assert summaries(site) == EXPECTED

    # Step 1 stops what delivers, with a replay of everything and a submission still to do.
    ask(relay, site, what="all")
    relay.queue("left", incidents=[incident("private", 2)])
    restore(relay.aws, copy)
    if TENANTS in restored:
        unlink(relay, site, "left")
    if RECORD in restored:
        delete(relay, "gone")
        queue_newest(relay)
    assert relay.run_queue() == []
    assert summaries(site) == EXPECTED
    if TENANTS in restored:
        for _ in range(4):
            ask(relay, site, what="all")
    else:
        ask(relay, site, what="owed")
    relay.run_replays()
    resume(relay)

    assert summaries(site) == EXPECTED
    assert set(states(relay).values()) <= {"accepted", "deleted"}
    relay.submit("payments", incidents=[incident("changed", 3, summary="Third")])
    assert summaries(site) == EXPECTED | {"changed": "Third"}


@pytest.mark.parametrize("steps", list(permutations((delete, queue_newest))))
def test_deletions_come_before_states(
    relay: Relay, site: JiraSite, steps: tuple[Callable[..., None], ...]
) -> None:
    """A tool that repeats all deletions, also of what it has submitted again since."""
    submit_first(relay)
    copy = copied(relay.aws, RECORD)
    submit_what_followed(relay)
    restore(relay.aws, copy)

    for repeat in steps:
        repeat(relay, *(("gone", "again") if repeat is delete else ()))
        a_moment_later()
    relay.run_queue()
    resume(relay)

    is_right = steps[0] is delete
    assert ("again" in summaries(site)) is is_right
    assert (states(relay)["again"] == "accepted") is is_right
    assert "gone" not in summaries(site)


def test_a_workspace_that_was_erased_since_then_is_erased_again_before_anything_is_delivered(
    relay: Relay, site: JiraSite
) -> None:
    relay.put_workspace("left")
    put_link(relay, site, "left")
    relay.submit("left", incidents=[incident("private")])
    copy = copied(relay.aws, RECORD, TENANTS, CATALOG)
    relay.queue("left", incidents=[incident("waits")])
    erase(relay)
    finish_erasures(relay)
    restore(relay.aws, copy)
    assert "private" in relay.stored()

    erase(relay)
    relay.run_queue()

    assert {"private", "waits"} & summaries(site).keys() == set()
    finish_erasures(relay)
    assert "private" not in relay.stored()


def erase(relay: Relay) -> None:
    answer = relay.provider("DELETE", "/v1/workspaces/left?erase=true")
    assert answer.status == 202, answer.body


def finish_erasures(relay: Relay) -> None:
    relay.run_replays()
    for _ in range(2):
        resume(relay)


def test_a_site_that_was_installed_again_since_then_is_installed_once_more(
    relay: Relay, site: JiraSite, simulator: Simulator
) -> None:
    submit_first(relay)
    copy = copied(relay.aws, RECORD, TENANTS)
    install_there(relay, simulator, site.name)
    submit_what_followed(relay)
    resume(relay)
    restore(relay.aws, copy)
    submit_what_followed(relay)
    # The restored secret is not the site's.
    assert set(states(relay).values()) & {"owed"}

    install_there(relay, simulator, site.name)
    for _ in range(2):
        ask(relay, site, what="all")
    resume(relay)

    assert summaries(site) == EXPECTED
    relay.submit("payments", incidents=[incident("changed", 3, summary="Third")])
    assert summaries(site) == EXPECTED | {"changed": "Third"}
