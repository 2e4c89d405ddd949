"""The API base URLs that a Forge token may name. Relay calls them with the site's system token."""

import re
from collections.abc import Iterable

from relay.errors import Unauthenticated
from relay.outbound.origins import origin_expression

_ORIGIN = "https://api.atlassian.com"
# Lower case only: a cloudId is a key, so it must have one spelling.
_CLOUD_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def cloud_id_of(api_base_url: str, test_origins: Iterable[str] = ()) -> str:
    """The site's cloudId, the last part of `https://api.atlassian.com/ex/jira/{cloudId}`.

    The origin may also be one of `test_origins`, such as `http://127.0.0.1:*`. Raises
    Unauthenticated for any other URL.
    """
    # One expression matches the whole URL: no user, port, query, or anything a parser might drop.
    for origin in (_ORIGIN, *test_origins):
        match = re.fullmatch(rf"{origin_expression(origin)}/ex/jira/({_CLOUD_ID})", api_base_url)
        if match is not None:
            return match[1]
    raise Unauthenticated("app.apiBaseUrl is not one that Relay calls")
