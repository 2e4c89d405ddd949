"""Environment variables as one frozen model per function, validated at init."""

import os
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_snake


def _variable(field: str) -> str:
    return to_snake(field).upper()


def _listed(value: object) -> object:
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Switch = Literal["on", "off"]
Identity = Literal["connect", "forge"]
Required = Annotated[str, Field(min_length=1)]
# Its origin becomes part of a header, in which these characters have a meaning.
ALL_JS_URL_PATTERN = r"^https?://[^\s/?#;,'\"]+/[^\s?#;,'\"]*$"


class Settings(BaseModel):
    """A field such as `base_url` is read from the variable `BASE_URL`.

    A model is built on first use, so that a function pays for its own settings only.
    """

    model_config = ConfigDict(
        alias_generator=_variable, frozen=True, extra="ignore", defer_build=True
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Raises RuntimeError, which names every missing or invalid variable."""
        try:
            return cls.model_validate(dict(os.environ))
        except ValidationError as error:
            findings = error.errors(include_url=False, include_input=False)
            invalid = "; ".join(f"{finding['loc'][0]}: {finding['msg']}" for finding in findings)
            raise RuntimeError(f"Invalid environment variables: {invalid}") from None


class AppSettings(Settings):
    """Settings of every function. `base_url` is empty if the app is at API Gateway's own URL."""

    app_key: Required
    base_url: str = ""


class DescriptorSettings(AppSettings):
    """Settings of the Connect descriptor.

    A switch that is off removes its module: `createPostIncidentReview`, or DevOps components. An
    empty URL is replaced by that of the app's own page.
    """

    review_action: Switch
    components_module: Switch
    home_url: str = ""
    documentation_url: str = ""
    vendor_url: str = ""


class TenantsTableSettings(AppSettings):
    """Functions that read tenants. With `plain_ids`, ids go to Jira as they are."""

    tenants_table: Required
    plain_ids: Switch


class TenantSettings(TenantsTableSettings):
    """Functions that use tenants' secrets. `secrets_key` is the id or ARN of the KMS key."""

    secrets_key: Required


class SiteSettings(TenantSettings):
    """Functions that call Jira. `jira_identity` is tried first where a site has both identities."""

    jira_identity: Identity


class LifecycleSettings(TenantSettings):
    """Settings of `lifecycle`. `install_keys_url` serves the keys that sign Connect's installs."""

    replays_queue: Required
    install_keys_url: Required
    test_site_origins: Listed = ()


class WorkspacesSettings(AppSettings):
    """Settings of `workspaces`."""

    api_keys_table: Required
    catalog_table: Required
    tenants_table: Required
    record_table: Required
    secrets_key: Required
    submissions_queue: Required
    replays_queue: Required
    components_module: Switch
    test_webhook_origins: Listed = ()


class LinksSettings(SiteSettings):
    """Settings of `links`. `region` is the AWS region in which Relay stores a site's data."""

    region: Required
    replays_queue: Required
    api_keys_table: Required
    catalog_table: Required
    record_table: Required


class ReplaysSettings(TenantsTableSettings):
    """Settings of `replays`."""

    replays_queue: Required
    api_keys_table: Required


class SubmissionsSettings(AppSettings):
    """Settings of `submissions`."""

    api_keys_table: Required
    catalog_table: Required
    record_table: Required
    submissions_queue: Required


class DeliverySettings(SiteSettings):
    """Functions that deliver. `confirm_percent` of what a site accepts is read back from it."""

    replays_queue: Required
    catalog_table: Required
    record_table: Required
    confirm_percent: Annotated[int, Field(ge=0, le=100)] = 0


class SubmitterSettings(DeliverySettings):
    """Settings of `submitter`. The first two values are queue URLs."""

    submissions_queue: Required
    submissions_dead_letters: Required
    components_module: Switch


class ReplayerSettings(DeliverySettings):
    """Settings of `replayer`."""

    api_keys_table: Required
    components_module: Switch


class SweeperSettings(DeliverySettings):
    """Settings of `sweeper`. Closed entities are kept for `retention_days`; with 0, for ever."""

    retention_days: Annotated[int, Field(ge=0)] = 0


class ForgeSettings(TenantSettings):
    """Functions that verify Forge's tokens.

    `forge_app_id` is empty if the app is not on Forge; then every Forge token is refused. Only
    tokens of `forge_environments` (PRODUCTION, STAGING, DEVELOPMENT) are accepted.
    """

    forge_app_id: str = ""
    forge_environments: Annotated[Listed, Field(min_length=1)]
    forge_keys_url: Required
    test_api_origins: Listed = ()


class ForgeLifecycleSettings(ForgeSettings):
    """Settings of `forge`. `forge_regions` are those whose data it stores; () means all."""

    replays_queue: Required
    forge_regions: Listed = ()


class SiteCatalogSettings(ForgeSettings):
    """Functions that read a site's part of the catalog."""

    catalog_table: Required


class ComponentActionsSettings(SiteCatalogSettings):
    """Functions that also queue changed containers as DevOps components."""

    submissions_queue: Required
    components_module: Switch


class AssociationSettings(SiteCatalogSettings):
    """Functions that record associations and notify webhooks. `notices_queue` is a queue URL."""

    record_table: Required
    notices_queue: Required


class WebhooksSettings(AppSettings):
    """Settings of `webhooks`. A webhook at one of `test_webhook_origins` needs no public host."""

    api_keys_table: Required
    catalog_table: Required
    secrets_key: Required
    notices_queue: Required
    test_webhook_origins: Listed = ()


class ReviewSettings(ForgeSettings):
    """Functions that create draft reviews. `review_url_template` is empty without a review page."""

    record_table: Required
    submissions_queue: Required
    review_url_template: str = ""


class EntitiesSettings(SiteSettings):
    """Settings of `entities`."""

    api_keys_table: Required
    catalog_table: Required
    record_table: Required
    submissions_queue: Required
    review_url_template: str = ""


class PageSettings(ForgeSettings, SiteSettings):
    """Settings of `page`. `region` is the AWS region in which Relay stores a site's data, and
    `all_js_url` the script with which Atlassian's products host a page."""

    region: Required
    all_js_url: Annotated[str, Field(pattern=ALL_JS_URL_PATTERN)]
    catalog_table: Required
    record_table: Required
    submissions_queue: Required
    replays_queue: Required


class SourcesSettings(AppSettings):
    """Settings of `sources`."""

    api_keys_table: Required
    catalog_table: Required
    secrets_key: Required


class SourceEventsSettings(SourcesSettings):
    """Settings of `source_events`. `cloudwatch_source` names the source of the queue's events as
    `<workspaceId>/<sourceId>`; it is empty without a queue."""

    record_table: Required
    submissions_queue: Required
    cloudwatch_source: str = ""


class KeysSettings(AppSettings):
    """Settings of `keys`."""

    api_keys_table: Required
