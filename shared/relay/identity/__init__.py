"""Who is calling: Jira's signed install, a site under Connect or Forge, Forge, an API key."""

from relay.identity.api_keys import ApiKey, ApiKeys, ApiKeyVerifier
from relay.identity.callback import CallbackVerifier
from relay.identity.caller import (
    LifecycleCaller,
    ProviderCaller,
    Request,
    SiteCaller,
    Verifier,
)
from relay.identity.forge_caller import ForgeCaller
from relay.identity.forge_keys import ForgeKeys
from relay.identity.forge_token import ForgeTokenVerifier
from relay.identity.install_keys import InstallKeys
from relay.identity.signed_install import SignedInstallVerifier
from relay.identity.site import SiteVerifier

__all__ = [
    "ApiKey",
    "ApiKeyVerifier",
    "ApiKeys",
    "CallbackVerifier",
    "ForgeCaller",
    "ForgeKeys",
    "ForgeTokenVerifier",
    "InstallKeys",
    "LifecycleCaller",
    "ProviderCaller",
    "Request",
    "SignedInstallVerifier",
    "SiteCaller",
    "SiteVerifier",
    "Verifier",
]
