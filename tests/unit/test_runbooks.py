"""Every alarm and every queue of dead letters of the template has a runbook in docs/operator.md."""

import re

import pytest

from infra.lambdas.dashboard import lines, widgets
from tests.support.template import ROOT, resources, template

OPERATOR = (ROOT / "docs/operator.md").read_text("utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text("utf-8")
ALARMS = resources("AWS::CloudWatch::Alarm")
FUNCTIONS = resources("AWS::Serverless::Function")
TABLES = resources("AWS::DynamoDB::Table")
OF_A_FUNCTION = "<Function>ErrorsAlarm"
OF_A_TABLE = "<Table>ThrottlesAlarm"
PARTS = ["See it", "Act", "It is over"]
SECTIONS = {
    section.partition("\n")[0].strip("`"): section
    for section in re.split(r"^#+ ", OPERATOR, flags=re.MULTILINE)
}
RUNBOOKS = {heading: section for heading, section in SECTIONS.items() if heading.endswith("Alarm")}


def runbook_of(alarm: str) -> str:
    if alarm.replace("ErrorsAlarm", "Function") in FUNCTIONS:
        return OF_A_FUNCTION
    return OF_A_TABLE if re.sub("(Read|Write)ThrottlesAlarm", "Table", alarm) in TABLES else alarm


def anchor(heading: str) -> str:
    """As GitHub forms it of a heading."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    assert set(RUNBOOKS) == {runbook_of(alarm) for alarm in ALARMS}


@pytest.mark.parametrize("heading", RUNBOOKS)
def test_every_runbook_has_its_three_parts(heading: str) -> None:
    assert re.findall(r"^- \*\*([^*]+)\*\*", RUNBOOKS[heading], flags=re.MULTILINE) == PARTS


@pytest.mark.parametrize("heading", RUNBOOKS)
def test_the_list_of_alarms_leads_to_the_runbook(heading: str) -> None:
    assert f"| [`{heading}`](#{anchor(heading)})" in OPERATOR


@pytest.mark.parametrize("alarm", ALARMS)
def test_every_alarms_description_leads_to_its_runbook(alarm: str) -> None:
    description = ALARMS[alarm]["AlarmDescription"]
    assert description.endswith(f" See docs/operator.md#{anchor(runbook_of(alarm))}.")


def test_every_queue_of_dead_letters_leads_to_its_runbook() -> None:
    for queue in resources("AWS::SQS::Queue"):
        if queue.endswith("DeadLetters"):
            # The alarm of submissions is just `DeadLettersAlarm`.
            alarm = f"{queue.removeprefix('Submissions')}Alarm"
            row = rf"^\| `{queue}` \|.*\| \[`{alarm}`\]\(#{anchor(alarm)}\) \|$"
            assert re.search(row, OPERATOR, flags=re.MULTILINE), queue


def test_every_function_has_an_alarm() -> None:
    watched = {alarm.replace("ErrorsAlarm", "Function") for alarm in ALARMS}
    assert FUNCTIONS.keys() <= watched


def test_every_table_has_an_alarm_for_throttled_reads_and_writes() -> None:
    for table in TABLES:
        name = table.removesuffix("Table")
        for access in ("Read", "Write"):
            alarm = ALARMS[f"{name}{access}ThrottlesAlarm"]
            assert alarm["MetricName"] == f"{access}ThrottleEvents"
            assert alarm["Dimensions"] == [{"Name": "TableName", "Value": {"Ref": table}}]


def test_no_alarm_is_for_a_single_error_of_a_function_or_of_the_api() -> None:
    errors = [one for one in ALARMS.values() if one.get("MetricName") in ("Errors", "5xx")]
    assert len(errors) == len(FUNCTIONS) + 1
    for alarm in errors:
        assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Sum", "GreaterThanThreshold")
        assert alarm["Threshold"] >= 1


def test_the_sweepers_alarm_waits_for_two_of_the_longest_intervals() -> None:
    alarm = ALARMS["SweeperAlarm"]
    longest = 60 * max(template()["Parameters"]["SweepMinutes"]["AllowedValues"])
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 2 * longest
    # A sweeper that does not run has no values.
    assert alarm["TreatMissingData"] == "breaching"


def test_the_runbooks_name_titles_of_the_dashboard() -> None:
    titles = [one["properties"]["title"] for one in widgets("metric")]
    named = re.findall(
        r"(?<!\*)\*((?:API|Age|Calls|Errors|Lambda|Seconds|Sweeps|Tables)[^*]+)\*",
        OPERATOR + SETTINGS,
    )
    assert named
    for name in named:
        assert any(title.startswith(name) for title in titles), name


def test_the_cost_of_an_idle_deployment_is_the_templates() -> None:
    cost = SETTINGS.partition("## Cost")[2]
    assert f"| {len(ALARMS)} alarms, $0.10 each | ${len(ALARMS) * 0.1:.2f} |" in cost
    parts = [float(part) for part in re.findall(r"\| \$([\d.]+) \|$", cost, flags=re.MULTILINE)]
    [total] = re.findall(r"about \$([\d.]+) a month", cost)
    assert float(total) == pytest.approx(sum(parts))


def test_the_dashboard_is_too_large_to_be_free() -> None:
    drawn = [line for widget in widgets("metric") for line in lines(widget)]
    metrics = {(line.namespace, line.name, *line.dimensions.values()) for line in drawn}
    assert len(metrics) > 50
