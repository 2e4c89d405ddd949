"""The two answers that a person's browser gets: a way on, or what is missing for one."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

_CONFIGURE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Post-incident reviews</title></head>
<body>
<h1>Where reviews are written is not configured</h1>
<p>Whoever runs this app can set the parameter <code>ReviewUrlTemplate</code> of its deployment to
the page of the operations tool on which a review is written, such as
<code>https://ops.example.com/reviews/new?incident={incident-id}</code>.</p>
</body>
</html>
"""


def configure_page() -> Response[Any]:
    return Response(200, "text/html; charset=utf-8", _CONFIGURE)


def redirect(url: str) -> Response[Any]:
    return Response(302, headers={"Location": url})
