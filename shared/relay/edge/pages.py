"""The two answers for a browser: a redirect, or a page that says what is not configured."""

from relay.edge.answer import Answer, text_answer
from relay.errors import BadRequest, Detail

# API Gateway limits all headers of an answer to 10 KB.
_LOCATION_MAX = 8000

_CONFIGURE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Post-incident reviews</title></head>
<body>
<h1>Where reviews are written is not configured</h1>
<p>The operator of this app can set the deployment's parameter <code>ReviewUrlTemplate</code> to the
page of the operations tool on which a review is written, such as
<code>https://ops.example.com/reviews/new?incident={incident-id}</code>.</p>
</body>
</html>
"""


def configure_page() -> Answer:
    """404: no page is configured."""
    return text_answer(404, "text/html; charset=utf-8", _CONFIGURE)


def redirect(url: str) -> Answer:
    """302. Raises BadRequest if the URL is too long for a header."""
    if len(url) > _LOCATION_MAX:
        rule = Detail("", "max_length", f"The page's URL has at most {_LOCATION_MAX} characters")
        raise BadRequest("The ids make the link too long.", [rule])
    return Answer(302, headers={"Location": url})
