"""After a table was restored to a point in time, Jira and the record come together again, and no
old state wins: the steps of docs/operator.md, "Restore".
"""

from typing import Any

import pytest

from tests.integration.catching_up_stage import ask, resume, states, summaries
from tests.integration.relay_stage import JiraSite, Relay, install_there
from tests.integration.simulator_stage import Simulator
from tests.support.aws import Aws
from tests.support.entities import incident, review

RECORD, TENANTS = "RECORD_TABLE", "TENANTS_TABLE"
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
        incidents=[incident(one, summary="First") for one in ("same", "changed", "gone")],
        reviews=[review("rev", summary="First")],
    )


def submit_what_followed(relay: Relay) -> None:
    relay.submit(
        "payments",
        incidents=[incident("changed", 2, summary="Second"), incident("late", summary="Second")],
        reviews=[review("rev", 2, summary="Second")],
    )
    answer = relay.provider("DELETE", "/v1/workspaces/payments/incidents/gone")
    assert answer.status in (202, 204), answer.body
    relay.run_queue()


EXPECTED = {"same": "First", "changed": "Second", "late": "Second", "rev": "Second"}


@pytest.mark.parametrize("sequences", ["forgotten", "remembered"])
@pytest.mark.parametrize("restored", [(RECORD,), (TENANTS,), (RECORD, TENANTS)])
def test_the_steps_bring_jira_and_the_record_together(
    relay: Relay, site: JiraSite, simulator: Simulator, restored: tuple[str, ...], sequences: str
) -> None:
    simulator.set(sequencesAfterDeletion=sequences)
    submit_first(relay)
    copy = copied(relay.aws, *restored)
    submit_what_followed(relay)
    ask(relay, site, what="all")
    ask(relay, site, what="all")
    relay.run_replays()
    assert summaries(site) == EXPECTED

    restore(relay.aws, copy)

    resume(relay)
    assert summaries(site) == EXPECTED
    if RECORD in restored:
        submit_what_followed(relay)
    if TENANTS in restored:
        for _ in range(3):
            ask(relay, site, what="all")
    else:
        ask(relay, site, what="owed")
    relay.run_replays()
    assert summaries(site) == EXPECTED
    assert set(states(relay).values()) <= {"accepted", "deleted"}
    relay.submit("payments", incidents=[incident("changed", 3, summary="Third")])
    assert summaries(site) == EXPECTED | {"changed": "Third"}


def test_a_replay_of_everything_before_the_record_is_up_to_date_lets_an_old_state_win(
    relay: Relay, site: JiraSite
) -> None:
    """Why the steps have their order."""
    submit_first(relay)
    copy = copied(relay.aws, RECORD)
    submit_what_followed(relay)
    restore(relay.aws, copy)
    for _ in range(2):
        ask(relay, site, what="all")
    relay.run_replays()
    assert summaries(site)["changed"] == "First"


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
