"""Who is calling: Jira's signed install, a site's callback, the operations tool's API key."""

from relay.identity.api_keys import ApiKey, ApiKeys, ApiKeyVerifier
from relay.identity.callback import CallbackVerifier
from relay.identity.caller import (
    LifecycleCaller,
    ProviderCaller,
    Request,
    SiteCaller,
    Verifier,
)
from relay.identity.install_keys import InstallKeys
from relay.identity.signed_install import SignedInstallVerifier

__all__ = [
    "ApiKey",
    "ApiKeyVerifier",
    "ApiKeys",
    "CallbackVerifier",
    "InstallKeys",
    "LifecycleCaller",
    "ProviderCaller",
    "Request",
    "SignedInstallVerifier",
    "SiteCaller",
    "Verifier",
]
