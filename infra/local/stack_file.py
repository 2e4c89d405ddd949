"""`.relay/stack.json`: how to reach the stack that `make up` started, secrets included."""

import json
import os
from typing import Any

from infra.local.deploy import APP_KEY
from infra.local.environment import REGION
from infra.local.first_tenant import Tenancy
from infra.local.paths import STACK_FILE
from infra.local.stack import Stack


def write_stack_file(stack: Stack, tenancy: Tenancy) -> None:
    document = json.dumps(stack_document(stack, tenancy), indent=2)
    unfinished = STACK_FILE.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(document + "\n")
    unfinished.rename(STACK_FILE)


def read_stack_file() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(STACK_FILE.read_text())
    return document


def stack_document(stack: Stack, tenancy: Tenancy) -> dict[str, Any]:
    site = {name: tenancy.site[name] for name in ("clientKey", "sharedSecret", "baseUrl", "name")}
    return {
        "api": stack.api,
        "jira": stack.jira.url,
        "apiKey": tenancy.api_key,
        "appKey": APP_KEY,
        "installKey": {"kid": stack.jira.kid, "pem": stack.jira.pem},
        "sites": [site | {"id": tenancy.site_id}],
        "workspace": tenancy.workspace_id,
        "aws": {"endpoint": stack.aws.endpoint, "region": REGION},
        "outputs": dict(stack.deployment.outputs),
    }
