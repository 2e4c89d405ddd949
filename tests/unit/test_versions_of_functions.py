"""What CloudFormation needs to publish a version whenever a function with an alias changes."""

import pytest

from tests.support.template import functions, named_in, resources, template

PUBLISHED = {name: one for name, one in functions().items() if "AutoPublishAlias" in one}
GLOBALS = template()["Globals"]["Function"]
[VERSION] = resources("AWS::AppConfig::HostedConfigurationVersion").values()
# Properties of a function that are no part of its versions, or that the version's own follow.
APART = {
    "VersionDescription",
    "Layers",
    "LoggingConfig",
    "Policies",
    "PermissionsBoundary",
    "Events",
}


def received(function: str) -> set[str]:
    properties = PUBLISHED[function]
    own = {name: value for name, value in properties.items() if name not in APART}
    common = {name: value for name, value in GLOBALS.items() if name not in APART}
    return set(named_in([own, common])) - {"SettingsVersion"}


def test_those_that_are_called_with_a_deadline_have_an_alias() -> None:
    assert PUBLISHED.keys() == {
        "lifecycle",
        "forge",
        "fetch_workspaces",
        "search_containers",
        "component_actions",
        "entity_associated",
        "entity_disassociated",
        "create_post_incident_review",
        "source_events",
    }


@pytest.mark.parametrize("function", PUBLISHED)
def test_another_value_of_what_a_function_receives_is_a_new_settings_version(function: str) -> None:
    assert received(function) <= set(named_in(VERSION["Content"]))


def test_a_settings_version_changes_with_nothing_else() -> None:
    # ARNs of tables change with their names.
    arns = {f"{table}.Arn" for table in resources("AWS::DynamoDB::Table")}
    [layer] = named_in(GLOBALS["Layers"])
    everything = {layer, *(name for function in PUBLISHED for name in received(function))}
    assert set(named_in(VERSION["Content"])) - arns == everything


def test_another_layer_is_a_new_settings_version() -> None:
    [layer] = GLOBALS["Layers"]
    assert VERSION["Content"]["Sub"][1]["Layer"] == layer


@pytest.mark.parametrize("function", PUBLISHED)
def test_a_new_settings_version_is_a_new_version_that_replaces_the_one_before(
    function: str,
) -> None:
    properties = PUBLISHED[function]
    assert properties["VersionDescription"] == {"Ref": "SettingsVersion"}
    # Lambda publishes only what has changed.
    assert GLOBALS["Environment"]["Variables"]["SETTINGS_VERSION"] == {"Ref": "SettingsVersion"}
    assert properties["AutoPublishAliasAllProperties"] is True
    assert properties["VersionDeletionPolicy"] == "Delete"


def test_a_queue_calls_the_alias_of_a_function_that_has_one() -> None:
    called = {
        source["FunctionName"]["Ref"]
        for source in resources("AWS::Lambda::EventSourceMapping").values()
    }
    aliased = {
        f"{logical_id}.Alias"
        for logical_id, properties in resources("AWS::Serverless::Function").items()
        if "AutoPublishAlias" in properties
    }
    assert called & aliased == {"SourceEventsFunction.Alias"}
    assert not called & {name.removesuffix(".Alias") for name in aliased}
