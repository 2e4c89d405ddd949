"""The two answers that a person's browser gets: a way on, or what is missing for one."""

from relay.edge.answer import Answer, text_answer
from relay.errors import BadRequest, Detail

# API Gateway has 10 KB for all headers of an answer.
_LOCATION_MAX = 8000

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


def configure_page() -> Answer:
    """404: there is no page to lead to."""
    return text_answer(404, "text/html; charset=utf-8", _CONFIGURE)


def redirect(url: str) -> Answer:
    """Raises BadRequest where the URL is too long for a header."""
    if len(url) > _LOCATION_MAX:
        rule = Detail("", "max_length", f"Of the page's URL, at most {_LOCATION_MAX} characters")
        raise BadRequest("The ids are too long for a link.", [rule])
    return Answer(302, headers={"Location": url})
