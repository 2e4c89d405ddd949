"""The environment as one frozen model per function; a wrong variable fails at init, by name."""

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


class Settings(BaseModel):
    """Each field is read from the variable of its name in capitals.

    What a function does not use of these is not built at its init.
    """

    model_config = ConfigDict(
        alias_generator=_variable, frozen=True, extra="ignore", defer_build=True
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Raises RuntimeError that names every variable that is missing or wrong."""
        try:
            return cls.model_validate(dict(os.environ))
        except ValidationError as error:
            findings = error.errors(include_url=False, include_input=False)
            wrong = "; ".join(f"{finding['loc'][0]}: {finding['msg']}" for finding in findings)
            raise RuntimeError(f"Wrong environment variables: {wrong}") from None


class AppSettings(Settings):
    """`base_url` is empty where API Gateway's own URL is the app's."""

    app_key: Required
    base_url: str = ""


class DescriptorSettings(AppSettings):
    """What is off is left out of the descriptor: createPostIncidentReview, DevOps components. A
    URL that is empty is that of the app's own page.
    """

    review_action: Switch
    components_module: Switch
    home_url: str = ""
    documentation_url: str = ""
    vendor_url: str = ""


class TenantsTableSettings(AppSettings):
    """`plain_ids` is on where ids go to Jira as they are, one workspace per site."""

    tenants_table: Required
    plain_ids: Switch


class TenantSettings(TenantsTableSettings):
    secrets_key: Required


class SiteSettings(TenantSettings):
    """`jira_identity` is what a site is called as first, where it has both."""

    jira_identity: Identity


class LifecycleSettings(TenantSettings):
    replays_queue: Required
    install_keys_url: Required
    test_site_origins: Listed = ()


class WorkspacesSettings(AppSettings):
    api_keys_table: Required
    catalog_table: Required
    secrets_key: Required
    submissions_queue: Required
    components_module: Switch
    test_webhook_origins: Listed = ()


class LinksSettings(SiteSettings):
    """`region` is AWS's, where all that is kept of a site lies."""

    region: Required
    replays_queue: Required
    api_keys_table: Required
    catalog_table: Required
    record_table: Required


class ReplaysSettings(TenantsTableSettings):
    replays_queue: Required
    api_keys_table: Required


class SubmissionsSettings(AppSettings):
    api_keys_table: Required
    catalog_table: Required
    submissions_queue: Required


class DeliverySettings(SiteSettings):
    """`confirm_percent` of what a site accepts is read back a while later."""

    replays_queue: Required
    catalog_table: Required
    record_table: Required
    confirm_percent: Annotated[int, Field(ge=0, le=100)] = 0


class SubmitterSettings(DeliverySettings):
    submissions_queue: Required
    submissions_dead_letters: Required


class ReplayerSettings(DeliverySettings):
    components_module: Switch


class SweeperSettings(DeliverySettings):
    pass


class ForgeSettings(TenantSettings):
    """`forge_app_id` is empty where the app is not on Forge: then no token of Forge passes.

    `forge_environments` are those of the app whose tokens pass: PRODUCTION, STAGING, DEVELOPMENT.
    """

    forge_app_id: str = ""
    forge_environments: Annotated[Listed, Field(min_length=1)]
    forge_keys_url: Required
    test_api_origins: Listed = ()


class ForgeLifecycleSettings(ForgeSettings):
    """`forge_regions` are those whose data this deployment keeps; none stands for all."""

    replays_queue: Required
    forge_regions: Listed = ()


class SiteCatalogSettings(ForgeSettings):
    catalog_table: Required


class ComponentActionsSettings(SiteCatalogSettings):
    submissions_queue: Required
    components_module: Switch


class AssociationSettings(SiteCatalogSettings):
    record_table: Required
    notices_queue: Required


class WebhooksSettings(AppSettings):
    api_keys_table: Required
    catalog_table: Required
    secrets_key: Required
    notices_queue: Required
    test_webhook_origins: Listed = ()


class ReviewSettings(ForgeSettings):
    """`review_url_template` is empty where the provider has no page of its own for reviews."""

    record_table: Required
    submissions_queue: Required
    review_url_template: str = ""


class EntitiesSettings(SiteSettings):
    api_keys_table: Required
    catalog_table: Required
    record_table: Required
    submissions_queue: Required
    review_url_template: str = ""


class KeysSettings(AppSettings):
    api_keys_table: Required
