"""Origins in settings, such as `http://127.0.0.1:*`; the port `*` matches any port."""

import re


def origin_expression(origin: str) -> str:
    """A regular expression that matches this origin."""
    host, any_port, _ = origin.partition(":*")
    return re.escape(host) + (r":[0-9]{1,5}" if any_port else "")
