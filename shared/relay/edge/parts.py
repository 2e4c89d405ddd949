"""The parts that functions are made of which know tenants, made at init, once each."""

from functools import cached_property
from typing import TYPE_CHECKING

from relay.aws import dynamodb_client, kms_client
from relay.identity.callback import CallbackVerifier
from relay.identity.site import SiteVerifier
from relay.secrets import NoSecrets, Secrets
from relay.settings import ForgeSettings, TenantSettings, TenantsTableSettings
from relay.tenants import ChoiceStore, LinkStore, ReplayStore, TenantStore, TroubleStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from relay.identity.forge_token import ForgeTokenVerifier


class TenantParts:
    """Of a function that knows tenants, and their secrets if its settings name the key."""

    def __init__(self, settings: TenantsTableSettings) -> None:
        self.dynamodb: DynamoDBClient = dynamodb_client()
        self.secrets = (
            Secrets(kms_client(), settings.secrets_key)
            if isinstance(settings, TenantSettings)
            else NoSecrets()
        )
        table = settings.tenants_table
        self.tenants = TenantStore(self.dynamodb, table, self.secrets)
        self.links = LinkStore(self.dynamodb, table, settings.plain_ids == "on")
        self.troubles = TroubleStore(self.dynamodb, table)
        self.replays = ReplayStore(self.dynamodb, table)
        self.choices = ChoiceStore(self.dynamodb, table)


class ForgeParts(TenantParts):
    """Of a function that sites call: `site` proves which of them, `forge` that it is Forge."""

    def __init__(self, settings: ForgeSettings) -> None:
        super().__init__(settings)
        self._settings = settings
        self.site = SiteVerifier(CallbackVerifier(self.tenants), lambda: self.forge, self.tenants)

    @cached_property
    def forge(self) -> "ForgeTokenVerifier":
        # Most sites call by Connect: what only Forge's tokens need is not loaded at init.
        from relay.identity.forge_keys import ForgeKeys
        from relay.identity.forge_token import ForgeTokenVerifier
        from relay.identity.key_servers import key_server_client

        settings = self._settings
        keys = ForgeKeys(key_server_client(), settings.forge_keys_url)
        return ForgeTokenVerifier(
            keys, settings.forge_app_id, settings.forge_environments, settings.test_api_origins
        )
