"""API keys: made, listed, revoked, by a key for all workspaces."""

from relay.aws import dynamodb_client
from relay.edge.answer import Answer, json_answer, no_content
from relay.edge.documents import checked_key_id, key_page, key_request
from relay.edge.http import HttpFunction
from relay.edge.query import page_limit, page_start
from relay.identity.api_keys import ApiKeys, ApiKeyVerifier
from relay.settings import KeysSettings

settings = KeysSettings.from_environment()
dynamodb = dynamodb_client()
api_key = ApiKeyVerifier(dynamodb, settings.api_keys_table)
keys = ApiKeys(dynamodb, settings.api_keys_table)

handler = HttpFunction(settings.base_url)


@handler.post("/v1/keys")
def make_key() -> Answer:
    """The one answer that ever holds the key itself."""
    caller, request = handler.caller(api_key)
    caller.check_all_workspaces()
    wanted = key_request(request)
    return json_answer(201, {"key": keys.issue(wanted.workspaces or None, wanted.name)})


@handler.get("/v1/keys", query=("after", "limit"))
def list_keys() -> Answer:
    caller, request = handler.caller(api_key)
    caller.check_all_workspaces()
    after, limit = page_start(request), page_limit(request)
    after = checked_key_id(after) if after else ""
    return json_answer(200, key_page(keys.page(after, limit), limit))


@handler.delete("/v1/keys/{keyId}")
def revoke_key(key_id: str) -> Answer:
    caller, _ = handler.caller(api_key)
    caller.check_all_workspaces()
    keys.revoke(checked_key_id(key_id))
    return no_content()
