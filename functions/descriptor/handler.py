"""Serves the app's descriptor, and answers every path that no other function serves."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from relay.edge.answer import Answer, json_answer, text_answer
from relay.edge.http import HttpFunction
from relay.settings import DescriptorSettings

if TYPE_CHECKING:
    from relay.edge.shapes.public import Health

settings = DescriptorSettings.from_environment()
logo = Path(__file__).with_name("logo.svg").read_text("utf-8")
page = Path(__file__).with_name("about.html").read_text("utf-8")
text = Path(__file__).with_name("atlassian-connect.json").read_text("utf-8")
# The modules that name pages of the app's vendor; the others name the page inside Jira.
PROVIDERS = ("jiraOperationsInfoProvider", "jiraDevOpsComponentProvider")
# The file uses its own base URL as a placeholder for the app's.
placeholder = json.loads(text)["baseUrl"]

handler = HttpFunction(settings.base_url)


@handler.get("/atlassian-connect.json")
def get_descriptor() -> Answer:
    """Get the app's descriptor, from which a site installs it."""
    descriptor = json.loads(text.replace(placeholder, handler.request.base_url))
    modules = descriptor["modules"]
    if settings.vendor_url:
        descriptor["vendor"]["url"] = settings.vendor_url
    for module in (modules[name] for name in PROVIDERS):
        module["homeUrl"] = settings.home_url or module["homeUrl"]
        module["documentationUrl"] = settings.documentation_url or module["documentationUrl"]
    if settings.review_action == "off":
        del modules["jiraOperationsInfoProvider"]["actions"]["createPostIncidentReview"]
    if settings.components_module == "off":
        del modules["jiraDevOpsComponentProvider"]
    return json_answer(200, descriptor | {"key": settings.app_key})


@handler.get("/about")
def get_about_page() -> Answer:
    """Get a page that explains the app to a Jira admin.

    The descriptor links to it if the deployment sets no pages of its own.
    """
    return text_answer(200, "text/html; charset=utf-8", page)


@handler.get("/logo.svg")
def get_logo() -> Answer:
    """Get the app's logo."""
    return text_answer(200, "image/svg+xml", logo)


@handler.get("/health")
def get_health() -> Answer:
    """Check that the API answers."""
    answer: Health = {"status": "ok"}
    return json_answer(200, answer)
