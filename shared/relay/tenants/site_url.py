"""Which base URL a site may have: Relay calls it, with that site's credential."""

import re
from collections.abc import Iterable

from relay.errors import BadRequest, Detail
from relay.outbound.origins import origin_expression

_HOSTS = ("atlassian.net", "jira.com", "atlassian-us-gov-mod.net")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# One expression from end to end: no user, no port, no address, nothing that a parser might drop.
_SITE = re.compile(
    rf"https://(?:{_LABEL}\.)+(?:{'|'.join(map(re.escape, _HOSTS))})/?", re.ASCII | re.IGNORECASE
)
_TEST_PATH = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?"


def checked_site_url(base_url: str, test_origins: Iterable[str] = ()) -> str:
    """The URL without a slash at its end.

    Raises BadRequest unless it is https on a host of Atlassian's, without user, port or path, or
    on one of `test_origins`, such as `http://127.0.0.1:*`.
    """
    if not (_SITE.fullmatch(base_url) or any(_at(base_url, origin) for origin in test_origins)):
        rule = Detail("baseUrl", "site_url", "Must be https on a host of " + ", ".join(_HOSTS))
        raise BadRequest("The site's base URL is not one that Relay calls.", [rule])
    return base_url.rstrip("/")


def _at(base_url: str, origin: str) -> bool:
    return re.fullmatch(origin_expression(origin) + _TEST_PATH, base_url, re.ASCII) is not None
