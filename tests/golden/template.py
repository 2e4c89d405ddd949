"""What each release's template says of its stores, as a file of its dump (see `tests.golden.dump`).

A later template must have the same tables, keys and queues, or an upgrade would lose their content.
"""

import json
from pathlib import Path
from typing import Any

from tests.support.template import template

FOLDER = Path(__file__).parent
FILE = "template.json"
KEPT = (
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::SQS::Queue",
    # Its URL is where Jira and the tools call.
    "AWS::Serverless::HttpApi",
)


def kept() -> dict[str, Any]:
    """The resources of these types in the present template, by logical id."""
    resources = template()["Resources"].items()
    return {name: one for name, one in resources if one["Type"] in KEPT}


def released() -> dict[str, dict[str, Any]]:
    """Those of each release, by its version."""
    return {
        path.parent.name: json.loads(path.read_text("utf-8"))
        for path in sorted(FOLDER.glob(f"*/{FILE}"))
    }


def write_kept(folder: Path) -> None:
    """Write the present version's file to its dump."""
    (folder / FILE).write_text(json.dumps(kept(), indent=1, sort_keys=True) + "\n", "utf-8")
