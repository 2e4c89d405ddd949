"""What anyone may call."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from infra.openapi import errors
from infra.openapi.operation import HTML, SVG, Answer, Caller, Example, Operation
from infra.openapi.parameters import COMPONENT_QUERY, INCIDENT_ID, INCIDENT_QUERY
from infra.openapi.schemas import Shape
from infra.openapi.template import Route

TAG = "Public"


class Descriptor(BaseModel):
    """Atlassian Connect's descriptor of the app; Atlassian documents the rest of it."""

    model_config = ConfigDict(extra="allow")

    key: str
    name: str
    baseUrl: str
    authentication: dict[str, str]
    scopes: list[str]
    lifecycle: dict[str, str]
    modules: dict[str, Any]


class Health(Shape):
    status: Literal["ok"]


OPERATIONS = (
    Operation(
        Route("GET", "/atlassian-connect.json"),
        "getDescriptor",
        TAG,
        Caller.ANYONE,
        "The app's descriptor, from which a site installs it",
        [Answer(200, "The descriptor, with this deployment's own URL.", Descriptor)],
        [Example("descriptor", 200)],
    ),
    Operation(
        Route("GET", "/health"),
        "getHealth",
        TAG,
        Caller.ANYONE,
        "Whether the API answers",
        [Answer(200, "It does.", Health)],
        [Example("health", 200, answer={"status": "ok"})],
    ),
    Operation(
        Route("GET", "/about"),
        "getAboutPage",
        TAG,
        Caller.ANYONE,
        "A page that tells a Jira admin what the app does",
        [Answer(200, "The page.", media=HTML)],
        [Example("page", 200)],
        "The descriptor leads to it where the deployment names no pages of its own.",
    ),
    Operation(
        Route("GET", "/logo.svg"),
        "getLogo",
        TAG,
        Caller.ANYONE,
        "The app's logo",
        [Answer(200, "The logo.", media=SVG)],
        [Example("logo", 200)],
    ),
    Operation(
        Route("GET", "/post-incident-reviews/new"),
        "followReviewLink",
        TAG,
        Caller.ANYONE,
        "Jira's link to where a review is written",
        [
            Answer(
                302,
                "On to the operations tool's own page, by the deployment's ReviewUrlTemplate.",
                headers={"Location": "The page, with the ids percent-encoded into it."},
            ),
            Answer(404, "A page that says what to configure, where there is none.", media=HTML),
        ],
        [
            Example(
                "link",
                302,
                query={"incident": INCIDENT_ID, "component": "checkout-api"},
            )
        ],
        "A link in a browser, without a token: it reads nothing, and answers the same whether "
        "there is such an incident or not.",
        [
            INCIDENT_QUERY,
            COMPONENT_QUERY,
        ],
        errors=[errors.LONG_ID],
    ),
)
