"""API keys: made, listed, revoked, by a key for all workspaces."""

from typing import TYPE_CHECKING

from relay.aws import dynamodb_client
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.documents import checked_key_id, key_page, key_request
from relay.edge.http import HttpFunction
from relay.edge.query import page_limit, page_start
from relay.edge.workspace_calls import ProviderCalls
from relay.identity.api_keys import ApiKeys, ApiKeyVerifier
from relay.settings import KeysSettings

if TYPE_CHECKING:
    from relay.edge.shapes.keys import MadeKey

settings = KeysSettings.from_environment()
dynamodb = dynamodb_client()
keys = ApiKeys(dynamodb, settings.api_keys_table)

handler = HttpFunction(settings.base_url)
calls = ProviderCalls(handler, ApiKeyVerifier(dynamodb, settings.api_keys_table))


@handler.post("/v1/keys")
def make_key() -> Answer:
    """Make a key, for some workspaces or for all."""
    wanted = key_request(calls.by_key_for_all())
    made: MadeKey = {"key": keys.issue(wanted.workspaces or None, wanted.name)}
    return json_answer(201, made)


@handler.get("/v1/keys", query=("limit", "after"))
def list_keys() -> Answer:
    """List the keys, without their secrets."""
    request = calls.by_key_for_all()
    after, limit = page_start(request), page_limit(request)
    after = checked_key_id(after) if after else ""
    return json_answer(200, key_page(keys.page(after, limit), limit))


@handler.delete("/v1/keys/{keyId}")
def revoke_key(key_id: str) -> Answer:
    """Revoke a key."""
    calls.by_key_for_all()
    keys.revoke(checked_key_id(key_id))
    return no_content()
