"""Translates a SAM template, `translate.py TEMPLATE`, and prints it as JSON.

A script for SAM CLI's own environment, which has the translator.
"""

import json
import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform


class _NoManagedPolicies:
    """The template's functions have statements of their own, and no managed policy by name."""

    def load(self) -> dict[str, str]:
        """No ARN by a policy's name."""
        return {}


def main() -> None:
    """Prints the translated template."""
    template: dict[str, Any] = yaml_parse(Path(sys.argv[1]).read_text("utf-8"))
    for resource in template["Resources"].values():
        for code in resource.get("Properties", {}).keys() & {"CodeUri", "ContentUri"}:
            # A folder, which `sam deploy` replaces after it has uploaded it.
            resource["Properties"][code] = "s3://bucket/key"
    parameters = {name: one.get("Default") for name, one in template["Parameters"].items()}
    json.dump(transform(template, parameters, _NoManagedPolicies()), sys.stdout)


if __name__ == "__main__":
    main()
