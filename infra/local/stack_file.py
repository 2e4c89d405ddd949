"""URLs and secrets of the stack that `make up` started: `.relay/stack.json`, and `.relay/stack.env`
with the variables for a shell.
"""

import json
import os
import shlex
from pathlib import Path
from typing import Any

from infra.local.deploy import APP_KEY
from infra.local.environment import REGION
from infra.local.first_tenant import Tenancy
from infra.local.paths import STACK_FILE, VARIABLES_FILE
from infra.local.stack import Stack


def write_stack_files(stack: Stack, tenancy: Tenancy) -> None:
    """Writes both files."""
    variables = {
        "API": stack.api,
        "KEY": tenancy.api_key,
        "WORKSPACE": tenancy.workspace_id,
        "JIRA": stack.jira.url,
    }
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in variables.items()]
    _write(VARIABLES_FILE, "".join(lines))
    _write(STACK_FILE, json.dumps(stack_document(stack, tenancy), indent=2) + "\n")


def remove_stack_files() -> None:
    """Removes both files, if they exist."""
    for file in (STACK_FILE, VARIABLES_FILE):
        file.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    """Writes a file atomically, readable only by its owner."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)


def read_stack_file() -> dict[str, Any]:
    """The document of `write_stack_files`. Raises FileNotFoundError if no stack is up."""
    document: dict[str, Any] = json.loads(STACK_FILE.read_text())
    return document


def stack_document(stack: Stack, tenancy: Tenancy) -> dict[str, Any]:
    """The document in `.relay/stack.json`, which the `relay` command reads."""
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
