"""A page of a Connect app: its first URL with a token, and the tokens for its own calls."""

from urllib.parse import quote, urlencode

from ..canonical_request import query_string_hash
from ..descriptor import AdminPage
from ..sites import Site
from ..tokens import user_token
from .visitors import Tokens, Visit

# The tokens of `AP.context.getToken()` have this instead of a hash: they are for any call.
_CONTEXT_QSH = "context-qsh"
_EXPIRED_SECONDS = 600


def first_url(site: Site, page: AdminPage, visit: Visit) -> str:
    """The URL that Jira loads into the frame. Raises a Refusal (409) without a Connect app."""
    app = site.installed_app()
    path, _, own_query = page.url.partition("?")
    parameters = urlencode(
        {
            "xdm_e": site.base_url,
            "xdm_c": f"channel-{app.key}__{page.key}",
            "cp": "",
            "lic": "none",
            "cv": "1001.0.0-SNAPSHOT",
        },
        quote_via=quote,
    )
    query = f"{own_query}&{parameters}" if own_query else parameters
    token = _token(site, visit, query_string_hash("GET", path, query))
    return f"{app.url(path)}?{query}&jwt={token}"


def context_token(site: Site, visit: Visit) -> str:
    """What `AP.context.getToken()` gets. Raises a Refusal (409) without a Connect app."""
    site.installed_app()
    age = _EXPIRED_SECONDS if visit.tokens is Tokens.EXPIRED else 0
    return _token(site, visit, _CONTEXT_QSH, age)


def _token(site: Site, visit: Visit, qsh: str, age_seconds: int = 0) -> str:
    account_id = site.admin_area.account_ids[visit.visitor]
    return user_token(site.shared_secret, site.client_key, account_id, qsh, age_seconds)
