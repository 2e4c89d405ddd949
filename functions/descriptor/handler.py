"""Serves the app's descriptor; answers for every path that no other function has."""

import json
from pathlib import Path

from relay.edge.answer import Answer, json_answer, text_answer
from relay.edge.http import HttpFunction
from relay.settings import DescriptorSettings

settings = DescriptorSettings.from_environment()
logo = Path(__file__).with_name("logo.svg").read_text("utf-8")
page = Path(__file__).with_name("about.html").read_text("utf-8")
text = Path(__file__).with_name("atlassian-connect.json").read_text("utf-8")
# The file's own base URL stands for the app's wherever it is written.
placeholder = json.loads(text)["baseUrl"]

handler = HttpFunction(settings.base_url)


@handler.get("/atlassian-connect.json")
def serve_descriptor() -> Answer:
    descriptor = json.loads(text.replace(placeholder, handler.request.base_url))
    modules = descriptor["modules"]
    if settings.vendor_url:
        descriptor["vendor"]["url"] = settings.vendor_url
    for module in modules.values():
        module["homeUrl"] = settings.home_url or module["homeUrl"]
        module["documentationUrl"] = settings.documentation_url or module["documentationUrl"]
    if settings.review_action == "off":
        del modules["jiraOperationsInfoProvider"]["actions"]["createPostIncidentReview"]
    if settings.components_module == "off":
        del modules["jiraDevOpsComponentProvider"]
    return json_answer(200, descriptor | {"key": settings.app_key})


@handler.get("/about")
def serve_page() -> Answer:
    return text_answer(200, "text/html; charset=utf-8", page)


@handler.get("/logo.svg")
def serve_logo() -> Answer:
    return text_answer(200, "image/svg+xml", logo)


@handler.get("/health")
def health() -> Answer:
    return json_answer(200, {"status": "ok"})
