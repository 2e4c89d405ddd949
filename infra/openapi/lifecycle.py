"""Jira's lifecycle calls."""

from infra.openapi import errors
from infra.openapi.operation import Answer, Caller, Example, Operation
from infra.openapi.template import Route
from relay.errors import BadRequest, Detail
from relay.identity.signed_install import LifecycleBody

TAG = "Lifecycle"
_TAKEN = [Answer(204, "Taken.")]
_INSTALL = {
    "key": "relay-operations",
    "clientKey": "6f4d2f9c-0f4e-3b6e-9e3a-acme00000001",
    "sharedSecret": "what-only-this-site-and-relay-know-of-each-other",
    "baseUrl": "https://acme.atlassian.net",
    "displayUrl": "https://acme.atlassian.net",
    "productType": "jira",
    "eventType": "installed",
}
_OTHERS = {name: value for name, value in _INSTALL.items() if name != "sharedSecret"}
_BAD_BODY = BadRequest(
    "The body is not a lifecycle call's.", [Detail("clientKey", "missing", "Field required")]
)

OPERATIONS = (
    Operation(
        Route("POST", "/lifecycle/installed"),
        "installed",
        TAG,
        Caller.JIRA,
        "A site has installed the app, or renews what it told",
        _TAKEN,
        [Example("installed", 204, body=_INSTALL)],
        "An upsert by clientKey. One token is good for one change, and an older one never wins. A "
        "site that has begun anew gets all that its workspaces hold, by replays.",
        body=LifecycleBody,
        errors=[_BAD_BODY, errors.OUTDATED, errors.TOKEN_USED],
    ),
    Operation(
        Route("POST", "/lifecycle/uninstalled"),
        "uninstalled",
        TAG,
        Caller.JIRA,
        "A site has uninstalled the app",
        _TAKEN,
        [Example("uninstalled", 204, body=_OTHERS | {"eventType": "uninstalled"})],
        "The site's secret is deleted; its links and the record stay.",
        body=LifecycleBody,
        errors=[_BAD_BODY, errors.OUTDATED],
    ),
    *(
        Operation(
            Route("POST", f"/lifecycle/{event}"),
            event,
            TAG,
            Caller.SITE,
            f"A site has {event} the app",
            _TAKEN,
            [Example(event, 204, body=_OTHERS | {"eventType": event})],
            "Logged, and nothing more.",
            body=LifecycleBody,
            body_required=False,
        )
        for event in ("enabled", "disabled")
    ),
)
