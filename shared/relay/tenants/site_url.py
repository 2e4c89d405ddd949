"""Validates the base URL of a site, which Relay calls with that site's credentials."""

import re
from collections.abc import Iterable

from relay.errors import BadRequest, Detail
from relay.outbound.origins import origin_expression

_HOSTS = ("atlassian.net", "jira.com", "atlassian-us-gov-mod.net")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# One expression for the whole URL: no user, port or IP address, nothing that a parser ignores.
_SITE = re.compile(
    rf"https://(?:{_LABEL}\.)+(?:{'|'.join(map(re.escape, _HOSTS))})/?", re.ASCII | re.IGNORECASE
)
_TEST_PATH = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?"


def checked_site_url(base_url: str, test_origins: Iterable[str] = ()) -> str:
    """The URL without a trailing slash.

    Raises BadRequest unless it is an https URL of a host of Atlassian, without user, port or path,
    or a URL at one of `test_origins`, such as `http://127.0.0.1:*`.
    """
    if not (_SITE.fullmatch(base_url) or any(_at(base_url, origin) for origin in test_origins)):
        rule = Detail(
            "baseUrl", "site_url", "Must be an https URL of a host of " + ", ".join(_HOSTS)
        )
        raise BadRequest("`baseUrl` is not the URL of a Jira site.", [rule])
    return base_url.rstrip("/")


def _at(base_url: str, origin: str) -> bool:
    return re.fullmatch(origin_expression(origin) + _TEST_PATH, base_url, re.ASCII) is not None
