"""A function's environment: read once, and refused as a whole if any part is invalid."""

import pytest
from pydantic import ValidationError

from relay.settings import AppSettings, LifecycleSettings, SubmissionsSettings
from tests.support.template import functions, template

VARIABLES = {
    "APP_KEY": "relay-operations",
    "BASE_URL": "https://relay.example.com",
    "API_KEYS_TABLE": "keys",
    "CATALOG_TABLE": "catalog",
    "RECORD_TABLE": "record",
    "SUBMISSIONS_QUEUE": "https://sqs.example.com/queue",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Every variable of a submissions function, and none of this machine's."""
    for name in _names_in_the_template():
        monkeypatch.delenv(name, raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def _names_in_the_template() -> set[str]:
    everywhere = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    return everywhere.union(
        *(
            properties.get("Environment", {}).get("Variables", {})
            for properties in functions().values()
        )
    )


@pytest.mark.usefixtures("environment")
def test_each_field_is_read_from_the_variable_of_its_name() -> None:
    settings = SubmissionsSettings.from_environment()

    assert settings.app_key == "relay-operations"
    assert settings.base_url == "https://relay.example.com"
    assert settings.api_keys_table == "keys"
    assert settings.catalog_table == "catalog"
    assert settings.record_table == "record"
    assert settings.submissions_queue == "https://sqs.example.com/queue"


def test_all_missing_and_empty_variables_are_named_together(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.delenv("APP_KEY")
    environment.delenv("SUBMISSIONS_QUEUE")
    environment.setenv("CATALOG_TABLE", "")

    with pytest.raises(RuntimeError) as raised:
        SubmissionsSettings.from_environment()

    for name in ("APP_KEY", "SUBMISSIONS_QUEUE", "CATALOG_TABLE"):
        assert name in str(raised.value)
    assert "API_KEYS_TABLE" not in str(raised.value)


def test_the_error_repeats_no_value_of_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("APP_KEY")
    environment.setenv("SUBMISSIONS_QUEUE", "")

    with pytest.raises(RuntimeError) as raised:
        SubmissionsSettings.from_environment()

    assert "keys" not in str(raised.value)
    # The cause would be printed with it, and contains values.
    assert raised.value.__suppress_context__


@pytest.mark.usefixtures("environment")
def test_other_variables_are_ignored_and_settings_are_immutable() -> None:
    settings = AppSettings.from_environment()

    assert "catalog_table" not in settings.model_dump()
    with pytest.raises(ValidationError):
        settings.app_key = "other"  # type: ignore[misc]


@pytest.mark.usefixtures("environment")
def test_a_base_url_is_optional(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("BASE_URL")

    assert AppSettings.from_environment().base_url == ""


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", ()),
        ("http://127.0.0.1:*", ("http://127.0.0.1:*",)),
        (
            " http://127.0.0.1:* , http://localhost:9/,",
            ("http://127.0.0.1:*", "http://localhost:9/"),
        ),
    ],
)
def test_a_list_is_comma_separated(
    environment: pytest.MonkeyPatch, value: str, origins: tuple[str, ...]
) -> None:
    environment.setenv("PLAIN_IDS", "off")
    for name in ("TENANTS_TABLE", "REPLAYS_QUEUE", "SECRETS_KEY", "INSTALL_KEYS_URL"):
        environment.setenv(name, "given")
    environment.setenv("TEST_SITE_ORIGINS", value)

    assert LifecycleSettings.from_environment().test_site_origins == origins
